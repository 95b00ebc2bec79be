#pragma once
/* What the C standard has and every target too: bindgen reads them by libclang, not by the target's compiler. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

struct record {
  uint32_t length;
  const char *pointer;
  int64_t wide;
};

size_t record_fill(struct record *into, const char *text);
