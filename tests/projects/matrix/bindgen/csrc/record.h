#pragma once
#include <stdint.h>
#include <string.h>

struct record {
  uint32_t length;
  const char *pointer;
  int64_t wide;
};

size_t record_fill(struct record *into, const char *text);
