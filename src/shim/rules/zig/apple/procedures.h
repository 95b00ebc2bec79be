// A symbol for every procedure that assembly gives unwind records: zig's linker before 0.16 crashes on one that has
// none. It is local and begins with the `l` of names that end with the link. Where a file's symbols part it into what
// may be left out, no procedure is: another one may run into it, or call it by its local label.
#ifdef __ASSEMBLER__
.macro .cfi_startproc how
lxtool_procedure\@:
.no_dead_strip lxtool_procedure\@
.macros_off
.cfi_startproc \how
.macros_on
.endm
#endif
