/* libatomic's functions, as GCC's manual and LLVM's "Atomic Instructions and Concurrency Guide" describe them. What has
   no instruction goes through one table of locks. The table's symbol is visible, so that a program and the shared
   libraries that it is linked with have one table; the functions are hidden, as compiler_rt's are, and weak.

   A function by a builtin's own name cannot be written in C: each has another one here, and its symbol is set. */
typedef __SIZE_TYPE__ size;
typedef __UINTPTR_TYPE__ word;
#define TEXT_OF(x) #x
#define SYMBOL(prefix, name) TEXT_OF(prefix) name
#define NAMED(name) __asm__(SYMBOL(__USER_LABEL_PREFIX__, name))
#define HIDDEN __attribute__((weak, visibility("hidden")))
#ifdef __ELF__
#define SHARED __attribute__((weak, visibility("default")))
#else
#define SHARED static
#endif

/* On 32-bit x86 eight bytes may lie across a border of four, and clang then calls a function. */
#if __CLANG_ATOMIC_LLONG_LOCK_FREE == 2 && !defined(__i386__)
#define EIGHT_IS_FREE 1
#else
#define EIGHT_IS_FREE 0
#endif

/* Each on a cache line of its own. */
typedef struct {
  word taken;
} __attribute__((aligned(64))) lock;
#define LOCKS 64
SHARED lock xtool_atomic_locks[LOCKS];

static word *acquire(const volatile void *at) {
  word *taken = &xtool_atomic_locks[((word)at >> 4) % LOCKS].taken;
  while (__atomic_exchange_n(taken, 1, __ATOMIC_ACQUIRE)) {
  }
  return taken;
}

static void release(word *taken) { __atomic_store_n(taken, 0, __ATOMIC_RELEASE); }

/* What compiled code does without a lock must be done so here too. */
static _Bool is_free(size bytes, const volatile void *at) {
#if EIGHT_IS_FREE
  const size widest = 8;
#else
  const size widest = sizeof(word);
#endif
  return (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) && bytes <= widest && (word)at % bytes == 0;
}

HIDDEN _Bool xtool_is_lock_free(size bytes, const volatile void *at) NAMED("__atomic_is_lock_free");
_Bool xtool_is_lock_free(size bytes, const volatile void *at) { return is_free(bytes, at); }

#if EIGHT_IS_FREE
#define EIGHT(DO) DO(8, unsigned long long)
#else
#define EIGHT(DO)
#endif
#define FREE(DO)                                                                                                       \
  if (is_free(bytes, at))                                                                                              \
    switch (bytes) { DO(1, unsigned char) DO(2, unsigned short) DO(4, unsigned int) EIGHT(DO) }

HIDDEN void xtool_load(size bytes, const volatile void *at, void *out, int order) NAMED("__atomic_load");
void xtool_load(size bytes, const volatile void *at, void *out, int order) {
#define DO(n, type)                                                                                                    \
  case n: {                                                                                                            \
    type got = __atomic_load_n((const volatile type *)at, __ATOMIC_SEQ_CST);                                           \
    __builtin_memcpy(out, &got, n);                                                                                    \
    return;                                                                                                            \
  }
  FREE(DO)
#undef DO
  word *taken = acquire(at);
  __builtin_memcpy(out, (const void *)at, bytes);
  release(taken);
}

HIDDEN void xtool_store(size bytes, volatile void *at, void *in, int order) NAMED("__atomic_store");
void xtool_store(size bytes, volatile void *at, void *in, int order) {
#define DO(n, type)                                                                                                    \
  case n: {                                                                                                            \
    type value;                                                                                                        \
    __builtin_memcpy(&value, in, n);                                                                                   \
    __atomic_store_n((volatile type *)at, value, __ATOMIC_SEQ_CST);                                                    \
    return;                                                                                                            \
  }
  FREE(DO)
#undef DO
  word *taken = acquire(at);
  __builtin_memcpy((void *)at, in, bytes);
  release(taken);
}

HIDDEN void xtool_exchange(size bytes, volatile void *at, void *in, void *out, int order) NAMED("__atomic_exchange");
void xtool_exchange(size bytes, volatile void *at, void *in, void *out, int order) {
#define DO(n, type)                                                                                                    \
  case n: {                                                                                                            \
    type value;                                                                                                        \
    __builtin_memcpy(&value, in, n);                                                                                   \
    value = __atomic_exchange_n((volatile type *)at, value, __ATOMIC_SEQ_CST);                                         \
    __builtin_memcpy(out, &value, n);                                                                                  \
    return;                                                                                                            \
  }
  FREE(DO)
#undef DO
  word *taken = acquire(at);
  /* `in` and `out` may be one object. */
  for (size i = 0; i < bytes; i++) {
    unsigned char was = ((volatile unsigned char *)at)[i];
    ((volatile unsigned char *)at)[i] = ((unsigned char *)in)[i];
    ((unsigned char *)out)[i] = was;
  }
  release(taken);
}

HIDDEN _Bool xtool_compare_exchange(size bytes, volatile void *at, void *expected, void *desired, int success,
                                    int failure) NAMED("__atomic_compare_exchange");
_Bool xtool_compare_exchange(size bytes, volatile void *at, void *expected, void *desired, int success, int failure) {
#define DO(n, type)                                                                                                    \
  case n: {                                                                                                            \
    type old, value;                                                                                                   \
    __builtin_memcpy(&old, expected, n);                                                                               \
    __builtin_memcpy(&value, desired, n);                                                                              \
    _Bool done = __atomic_compare_exchange_n((volatile type *)at, &old, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
    __builtin_memcpy(expected, &old, n);                                                                               \
    return done;                                                                                                       \
  }
  FREE(DO)
#undef DO
  word *taken = acquire(at);
  _Bool same = __builtin_memcmp((const void *)at, expected, bytes) == 0;
  if (same)
    __builtin_memcpy((void *)at, desired, bytes);
  else
    __builtin_memcpy(expected, (const void *)at, bytes);
  release(taken);
  return same;
}

/* Of a known width, where the CPU has no instruction for it that clang uses. */
#define WIDE(n, type)                                                                                                  \
  HIDDEN type xtool_load_##n(const volatile type *at, int order) NAMED("__atomic_load_" #n);                           \
  type xtool_load_##n(const volatile type *at, int order) {                                                            \
    word *taken = acquire(at);                                                                                         \
    type was = *at;                                                                                                    \
    release(taken);                                                                                                    \
    return was;                                                                                                        \
  }                                                                                                                    \
  HIDDEN void xtool_store_##n(volatile type *at, type value, int order) NAMED("__atomic_store_" #n);                   \
  void xtool_store_##n(volatile type *at, type value, int order) {                                                     \
    word *taken = acquire(at);                                                                                         \
    *at = value;                                                                                                       \
    release(taken);                                                                                                    \
  }                                                                                                                    \
  HIDDEN _Bool xtool_compare_exchange_##n(volatile type *at, type *expected, type value, int success, int failure)     \
      NAMED("__atomic_compare_exchange_" #n);                                                                          \
  _Bool xtool_compare_exchange_##n(volatile type *at, type *expected, type value, int success, int failure) {          \
    word *taken = acquire(at);                                                                                         \
    type was = *at;                                                                                                    \
    _Bool same = was == *expected;                                                                                     \
    if (same)                                                                                                          \
      *at = value;                                                                                                     \
    else                                                                                                               \
      *expected = was;                                                                                                 \
    release(taken);                                                                                                    \
    return same;                                                                                                       \
  }                                                                                                                    \
  CHANGE(exchange, n, type, value)                                                                                     \
  CHANGE(fetch_add, n, type, was + value)                                                                              \
  CHANGE(fetch_sub, n, type, was - value)                                                                              \
  CHANGE(fetch_and, n, type, was &value)                                                                               \
  CHANGE(fetch_or, n, type, was | value)                                                                               \
  CHANGE(fetch_xor, n, type, was ^ value)                                                                              \
  CHANGE(fetch_nand, n, type, ~(was & value))
#define CHANGE(what, n, type, result)                                                                                  \
  HIDDEN type xtool_##what##_##n(volatile type *at, type value, int order) NAMED("__atomic_" #what "_" #n);            \
  type xtool_##what##_##n(volatile type *at, type value, int order) {                                                  \
    word *taken = acquire(at);                                                                                         \
    type was = *at;                                                                                                    \
    *at = result;                                                                                                      \
    release(taken);                                                                                                    \
    return was;                                                                                                        \
  }
#if !EIGHT_IS_FREE
WIDE(8, unsigned long long)
#endif
/* On Windows clang calls these with the value in two registers, which C cannot say; compiler_rt has them. */
#if defined(__SIZEOF_INT128__) && !defined(_WIN32)
WIDE(16, unsigned __int128)
#endif
