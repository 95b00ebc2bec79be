#include "record.h"

size_t record_fill(struct record *into, const char *text) {
  into->length = (uint32_t)strlen(text);
  into->pointer = text;
  into->wide = (int64_t)INT32_MAX + 1;
  return sizeof *into;
}
