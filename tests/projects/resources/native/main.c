#include <stdio.h>
#include <windows.h>

/* Found by Windows itself. */
static int has(LPCSTR type) { return FindResourceA(NULL, MAKEINTRESOURCEA(1), type) != NULL; }

int main(void) {
  printf("icon %d version %d manifest %d\n", has((LPCSTR)RT_GROUP_ICON), has((LPCSTR)RT_VERSION),
         has((LPCSTR)RT_MANIFEST));
  return 0;
}
