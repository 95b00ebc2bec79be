// A driver on arm64 Linux; see x86_64.s.
.text
.globl _start
_start:
        ldr     x1, [sp]                // argc, argv…, 0, envp…, 0, auxv…
        cbz     x1, exit                // no argv[0] to put the path in
        add     x19, sp, #8             // argv
        add     x20, x19, x1, lsl #3
        add     x20, x20, #8            // envp
        mov     x0, x20
1:      ldr     x2, [x0], #8
        cbnz    x2, 1b
        sub     sp, sp, #4, lsl #12     // the tool's path; the link's text 8192 above it
2:      ldp     x2, x1, [x0], #16       // an auxiliary vector's type and value
        cbz     x2, 3f
        cmp     x2, #31                 // AT_EXECFN
        b.ne    2b
        bl      run
3:      mov     x0, #-100               // AT_FDCWD
        adr     x1, self
        add     x2, sp, #2, lsl #12
        mov     x3, #4095
        mov     x8, #78                 // readlinkat
        svc     #0
        cmp     x0, #0
        b.le    4f
        add     x1, sp, #2, lsl #12
        strb    wzr, [x1, x0]
        bl      run
4:      adr     x1, before
        mov     x2, before_size
        bl      say
        ldr     x1, [x19]
        mov     x2, #-1
5:      add     x2, x2, #1
        ldrb    w3, [x1, x2]
        cbnz    w3, 5b
        bl      say
        adr     x1, after
        mov     x2, after_size
        bl      say
exit:   mov     x0, #127
        mov     x8, #93                 // exit
        svc     #0

// Puts the folder of the path at x1, with the tool's name behind it, on the stack; executes it; returns if that failed.
run:    mov     x4, sp
        mov     x5, sp                  // behind the last slash
        mov     x6, #4096
1:      ldrb    w3, [x1], #1
        cbz     w3, 2f
        strb    w3, [x4], #1
        cmp     w3, #'/'
        csel    x5, x4, x5, eq
        subs    x6, x6, #1
        b.ne    1b
        ret                             // longer than any path
2:      adr     x1, tail
3:      ldrb    w3, [x1], #1
        strb    w3, [x5], #1
        cbnz    w3, 3b
        mov     x0, sp
        str     x0, [x19]
        mov     x1, x19
        mov     x2, x20
        mov     x8, #221                // execve
        svc     #0
        ret

say:    mov     x0, #2
        mov     x8, #64                 // write
        svc     #0
        ret

self:   .asciz  "/proc/self/exe"
before: .ascii  "error: Cannot run `"
.set before_size, . - before
after:  .ascii  "`\nhelp: run `xtool sync` in the project to set the toolchain up again; where this is a copy, use a symbolic link\n"
.set after_size, . - after
tail:
