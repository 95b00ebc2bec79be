# A driver on x86-64 Linux: runs `tools/<tool>` beside itself, with its own arguments and environment.
#
# It holds no path. Which folder it lies in, the kernel says: AT_EXECFN is the path that was executed (getauxval(3));
# where nothing lies beside that, a link led here, and /proc/self/exe is the file itself. The name behind `tail` is
# added when a driver is written (elf.rs). Assemble it with scripts/drivers.sh.
.intel_syntax noprefix
.text
.globl _start
_start:
        mov     rbx, rsp                # argc, argv…, 0, envp…, 0, auxv…
        mov     rcx, [rbx]
        test    rcx, rcx
        jz      exit                    # no argv[0] to put the path in
        lea     r12, [rbx + 8]          # argv
        lea     r13, [r12 + rcx*8 + 8]  # envp
        mov     rdi, r13
1:      mov     rax, [rdi]
        add     rdi, 8
        test    rax, rax
        jnz     1b
2:      mov     rax, [rdi]              # an auxiliary vector's type …
        mov     rsi, [rdi + 8]          # … and value
        add     rdi, 16
        test    rax, rax
        jz      3f
        cmp     rax, 31                 # AT_EXECFN
        jne     2b
        sub     rsp, 16384              # the tool's path; the link's text 8192 above it
        call    run
        jmp     4f
3:      sub     rsp, 16384
4:      lea     rdi, [rip + self]
        lea     rsi, [rsp + 8192]
        mov     edx, 4095
        mov     eax, 89                 # readlink
        syscall
        test    rax, rax
        jle     5f
        mov     byte ptr [rsi + rax], 0
        call    run
5:      lea     rsi, [rip + before]
        mov     edx, offset before_size
        call    say
        mov     rsi, [r12]
        mov     rdx, -1
6:      inc     rdx
        cmp     byte ptr [rsi + rdx], 0
        jne     6b
        call    say
        lea     rsi, [rip + after]
        mov     edx, offset after_size
        call    say
exit:   mov     edi, 127
        mov     eax, 60                 # exit
        syscall

# Puts the folder of the path at rsi, with the tool's name behind it, on the stack above the return address; executes
# it; returns if that failed.
run:    lea     rdi, [rsp + 8]
        mov     rbp, rdi                # behind the last slash
        mov     ecx, 4096
1:      mov     al, [rsi]
        test    al, al
        jz      2f
        mov     [rdi], al
        inc     rsi
        inc     rdi
        cmp     al, '/'
        cmove   rbp, rdi
        dec     ecx
        jnz     1b
        ret                             # longer than any path
2:      lea     rsi, [rip + tail]
3:      mov     al, [rsi]
        mov     [rbp], al
        inc     rsi
        inc     rbp
        test    al, al
        jnz     3b
        lea     rdi, [rsp + 8]
        mov     [r12], rdi
        mov     rsi, r12
        mov     rdx, r13
        mov     eax, 59                 # execve
        syscall
        ret

say:    mov     edi, 2
        mov     eax, 1                  # write
        syscall
        ret

self:   .asciz  "/proc/self/exe"
before: .ascii  "error: Cannot run `"
.set before_size, . - before
after:  .ascii  "`\nhelp: run `xtool sync` in the project to set the toolchain up again; where this is a copy, use a symbolic link\n"
.set after_size, . - after
tail:
