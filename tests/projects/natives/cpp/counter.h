#pragma once
#include "rust/cxx.h"
#include <cstdint>

// The sum of `n` counts kept in a std::map by `threads` std::threads.
std::uint64_t count(std::uint32_t threads, std::uint32_t n);
// Throws std::out_of_range with this text.
void fail(rust::Str text);
