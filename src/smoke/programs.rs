//! The programs. Each prints one line that only a working C library, unwinder or thread support can produce.

pub(super) const C: &str = r#"#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    char *text = malloc(3);
    if (text == NULL)
        return 1;
    strcpy(text, "42");
    printf("C %d\n", atoi(text));
    free(text);
    return 0;
}
"#;

pub(super) const CXX: &str = r#"#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef __cpp_exceptions
struct Counter {
    int &count;
    ~Counter() { count += 2; }
};

static void thrower(int &count, int depth)
{
    Counter guard{count};
    if (depth == 0)
        throw std::runtime_error("caught");
    thrower(count, depth - 1);
}

int main()
{
    int count = 0;
    try {
        thrower(count, 20);
    } catch (const std::exception &e) {
        std::vector<std::string> words{"C++", e.what()};
        std::printf("%s %s %d\n", words[0].c_str(), words[1].c_str(), count);
        return 0;
    }
    return 1;
}
#else
int main()
{
    std::vector<std::string> words{"C++", "caught"};
    std::printf("%s %s %d\n", words[0].c_str(), words[1].c_str(), 42);
    return 0;
}
#endif
"#;

// WASI preview 1 has no threads, and a panic there ends the program: memory and a call of the system's are what can be
// asked of it. Not even a thread that is refused: zig 0.15's C library for WASI lacks the stubs of `pthread_create` and
// its kin that std links to, and a program that names them does not start.
pub(super) const RUST: &str = r#"fn main() {
    let (sum, caught) = proof();
    println!("Rust {sum} {caught}");
}

#[cfg(not(target_os = "wasi"))]
fn proof() -> (u32, bool) {
    let workers: Vec<_> = (1..=4u32).map(|n| std::thread::spawn(move || n)).collect();
    let sum = workers.into_iter().map(|w| w.join().unwrap()).sum();
    std::panic::set_hook(Box::new(|_| {}));
    (sum, std::panic::catch_unwind(|| panic!("thrown")).is_err())
}

#[cfg(target_os = "wasi")]
fn proof() -> (u32, bool) {
    let sum = std::hint::black_box(vec![1, 2, 3, 4]).iter().sum();
    (sum, std::env::args_os().len() == 1)
}
"#;

pub(super) const RUST_MANIFEST: &str = r#"[package]
name = "smoke"
version = "0.0.0"
edition = "2021"

[profile.dev]
panic = "unwind"

[workspace]
"#;
