/* On this CPU zig's compiler_rt takes a lock for everything wider than four bytes. A function by the builtin's own
   name cannot be written in C: it has another one here, and its symbol is set. */
#define TEXT_OF(x) #x
#define SYMBOL(prefix) TEXT_OF(prefix) "__atomic_is_lock_free"

__attribute__((weak, visibility("hidden"))) _Bool
xtool_is_lock_free(__SIZE_TYPE__ size, const volatile void *at)
    __asm__(SYMBOL(__USER_LABEL_PREFIX__));

_Bool xtool_is_lock_free(__SIZE_TYPE__ size, const volatile void *at) {
  return (size == 1 || size == 2 || size == 4) && (__UINTPTR_TYPE__)at % size == 0;
}
