/* xtool: zig ships no <sys/syscall.h> for macOS. The numbers that portable code tests for with #ifdef, as XNU's
 * bsd/kern/syscalls.master has them; an SDK's own file takes this one's place. */
#pragma once

#define SYS_exit 1
#define SYS_fork 2
#define SYS_read 3
#define SYS_write 4
#define SYS_open 5
#define SYS_close 6
#define SYS_getpid 20
#define SYS_kill 37
#define SYS_munmap 73
#define SYS_mprotect 74
#define SYS_madvise 75
#define SYS_fcntl 92
#define SYS_gettimeofday 116
#define SYS_mmap 197
#define SYS_lseek 199
#define SYS_thread_selfid 372
#define SYS_openat 463
#define SYS_getentropy 500
