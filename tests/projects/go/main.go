package main

/*
#include <stdlib.h>
#include <string.h>

static int spaces(const char *text) {
	int n = 0;
	for (; *text; text++)
		n += *text == ' ';
	return n;
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

func main() {
	text := C.CString("called from Go")
	defer C.free(unsafe.Pointer(text))
	fmt.Printf("%s/%s: %d spaces, length %d\n", runtime.GOOS, runtime.GOARCH, C.spaces(text), C.strlen(text))
}
