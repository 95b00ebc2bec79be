#include <stdio.h>

/* For which system this was compiled, as its own C library's headers say. */
const char *WHERE(void) {
#if defined(_WIN32)
  return "windows";
#elif defined(__GLIBC__)
  return "glibc";
#elif defined(__linux__)
  return "musl";
#else
  return "other";
#endif
}
