// A symbol for every procedure that assembly gives unwind records: zig's linker before 0.16 crashes on one that has
// none. It is local, begins with the `l` of names that end with the link, and starts no part of its own that a linker
// could move or leave out.
#ifdef __ASSEMBLER__
.macro .cfi_startproc how
.alt_entry lxtool_procedure\@
lxtool_procedure\@:
.macros_off
.cfi_startproc \how
.macros_on
.endm
#endif
