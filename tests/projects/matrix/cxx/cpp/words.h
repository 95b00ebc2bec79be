#pragma once
#include "rust/cxx.h"
#include <cstdint>

std::uint32_t count(rust::Str text, rust::Str word);
std::uint32_t caught_inside();
std::uint32_t thrown();
