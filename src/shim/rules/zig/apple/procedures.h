/* A symbol for every procedure that assembly gives unwind records: zig's linker before 0.16 crashes on one that has
   none. It is local, begins with the `l` of names that end with the link, and is an entry into what it stands in, no
   part of its own for the assembler. zig's linker parts a file there all the same, where symbols part it: so none of
   these parts may be left out, since another may run into it or call it by its local label. */
#ifdef __ASSEMBLER__
.macro .cfi_startproc how
.alt_entry lxtool_procedure\@
lxtool_procedure\@:
.no_dead_strip lxtool_procedure\@
.macros_off
.cfi_startproc \how
.macros_on
.endm
#endif
