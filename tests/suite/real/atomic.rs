//! libatomic's functions with zig, in real links; the programs run.

use super::{Lab, said, succeed};

const IS_FREE: &str = r#"
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
    fs_err::write(folder.join("a.c"), IS_FREE).unwrap();
    succeed(&mut lab.xtool(folder, &["add", "--no-cargo", triple]));
    let build = "$CC -fPIC -c a.c && $CC a.o -o a && $CC -shared a.o -o a.so";
    succeed(&mut lab.xtool(folder, &["exec", triple, "--", "sh", "-c", build]));
    if cfg!(target_arch = "x86_64") {
        let program = folder.join("a");
        assert_eq!(succeed(&mut std::process::Command::new(program)), "0 1 8\n");
    }
}

const BIG: &str = r#"
#include <atomic>
#include <cstdio>
struct Big { long long a, b, c; };
std::atomic<Big> big;
int main() {
  big.store({1, 2, 3});
  Big old = big.load();
  bool done = big.compare_exchange_strong(old, Big{4, 5, 6});
  Big was = big.exchange({7, 8, 9});
  int wide = 0;
#if defined(__SIZEOF_INT128__) && !defined(_WIN32)
  static std::atomic<__int128> sum;
  sum = 40;
  sum += 2;
  wide = (int)sum.load();
#endif
  std::printf("%d %d %d %d %d\n", done, (int)was.b, (int)big.load().c, big.is_lock_free(), wide);
}
"#;

/// GCC's toolchain prints the same.
#[test]
fn an_atomic_of_any_size_works() {
    let lab = Lab::enter();
    let folder = lab.dir.path();
    fs_err::write(folder.join("big.cc"), BIG).unwrap();
    let targets = [
        ("armv7-unknown-linux-gnueabihf", "1 5 9 0 0"),
        ("x86_64-unknown-linux-musl", "1 5 9 0 42"),
        ("x86_64-pc-windows-gnu", "1 5 9 0 0"),
    ];
    for (target, expected) in targets {
        succeed(&mut lab.xtool(folder, &["add", "--no-cargo", target, "--toolchain", "zig"]));
        for build in [
            "$CXX big.cc -o big.exe",
            "$CXX -O2 -c big.cc -o big.o && $CXX big.o -o big.exe -latomic",
        ] {
            let runner = target.replace('-', "_").to_uppercase();
            let script = format!("{build} && eval \"$CARGO_TARGET_{runner}_RUNNER ./big.exe\"");
            let output = lab
                .xtool(folder, &["exec", target, "--", "sh", "-c", &script])
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!(text.trim(), expected, "{target} {build}: {}", said(&output));
        }
    }
}

const LIBRARY: &str = r"
#include <atomic>
struct Big { long long a, b, c; };
extern std::atomic<Big> shared;
void add() {
  Big old = shared.load(), next;
  do { next = {old.a + 1, old.b + 1, old.c + 1}; } while (!shared.compare_exchange_weak(old, next));
}
";

const PROGRAM: &str = r#"
#include <atomic>
#include <cstdio>
#include <thread>
struct Big { long long a, b, c; };
std::atomic<Big> shared;
void add();
static void add_here() {
  Big old = shared.load(), next;
  do { next = {old.a + 1, old.b + 1, old.c + 1}; } while (!shared.compare_exchange_weak(old, next));
}
int main() {
  std::thread other([] { for (int i = 0; i < 300000; i++) add(); });
  for (int i = 0; i < 300000; i++) add_here();
  other.join();
  Big end = shared.load();
  std::printf("%lld %lld %lld\n", end.a, end.b, end.c);
}
"#;

/// Both lock the object by the same lock.
#[test]
fn a_program_and_its_library_share_the_locks() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return;
    }
    let lab = Lab::enter();
    let folder = lab.dir.path();
    let triple = "x86_64-unknown-linux-gnu";
    fs_err::write(folder.join("l.cc"), LIBRARY).unwrap();
    fs_err::write(folder.join("p.cc"), PROGRAM).unwrap();
    succeed(&mut lab.xtool(folder, &["add", "--no-cargo", triple]));
    let build = "$CXX -O2 -w -fPIC -shared l.cc -o libl.so && $CXX -O2 p.cc -L. -ll -Wl,-rpath,$PWD -o p && ./p";
    let out = succeed(&mut lab.xtool(folder, &["exec", triple, "--", "sh", "-c", build]));
    assert_eq!(out, "600000 600000 600000\n");
}
