//! What zig's `compiler_rt` lacks of libatomic on 32-bit x86, in a real link; the program runs on x86-64 Linux.

use std::process::Command;

use super::{Lab, succeed};

const PROGRAM: &str = r#"
#include <stdint.h>
#include <stdio.h>
int is_free(uint64_t *at) { return __atomic_is_lock_free(sizeof *at, at); }
int main(void) {
  uint64_t wide = 7;
  uint32_t narrow = 0;
  __atomic_fetch_add(&wide, 1, __ATOMIC_SEQ_CST);
  printf("%d %d %d\n", is_free(&wide), __atomic_is_lock_free(sizeof narrow, &narrow), (int)wide);
  return 0;
}
"#;

#[test]
fn a_program_may_ask_whether_an_atomic_is_lock_free() {
    let lab = Lab::enter();
    let triple = "i686-unknown-linux-musl";
    let folder = lab.dir.path();
    fs_err::write(folder.join("a.c"), PROGRAM).unwrap();
    succeed(&mut lab.xtool(folder, &["add", "--no-cargo", triple]));
    let build = "$CC -fPIC -c a.c && $CC a.o -o a && $CC -shared a.o -o a.so";
    succeed(&mut lab.xtool(folder, &["exec", triple, "--", "sh", "-c", build]));
    if cfg!(target_arch = "x86_64") {
        assert_eq!(succeed(&mut Command::new(folder.join("a"))), "0 1 8\n");
    }
}
