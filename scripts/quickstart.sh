#!/usr/bin/env bash
# From a clean clone to a Windows program that ran: builds xtool, makes a small project with a C dependency,
# adds the target, builds with plain cargo, and runs the .exe under wine.
#
#   scripts/quickstart.sh [TRIPLE]
#
# Everything is kept below target/quickstart. XTOOL_BIN names an xtool that is built already.
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

target=${1:-x86_64-pc-windows-gnu}
work=$PWD/target/quickstart
project=$work/hello
export XTOOL_HOME=$work/home

command -v cargo >/dev/null || die 'cargo is not on PATH: install Rust first (https://rustup.rs)'

step 'Building xtool'
if [ -z "${XTOOL_BIN:-}" ]; then
  command -v cc >/dev/null || need_packages gcc libc6-dev || die 'a C compiler is needed to build xtool: apt-get install gcc libc6-dev'
  run cargo build --release --locked
  XTOOL_BIN=${CARGO_TARGET_DIR:-$PWD/target}/release/xtool
fi
mkdir -p "$work/bin"
ln -sf "$XTOOL_BIN" "$work/bin/xtool"
export PATH=$work/bin:$PATH
run xtool --version

step "Making a project with a C dependency in target/quickstart/hello"
rm -rf "$project"
mkdir -p "$project/src" "$project/csrc"
cat >"$project/Cargo.toml" <<'EOF'
[package]
name = "hello"
version = "0.1.0"
edition = "2021"

[build-dependencies]
cc = "1"

[workspace]
EOF
cat >"$project/build.rs" <<'EOF'
fn main() {
    cc::Build::new().file("csrc/add.c").compile("add");
    println!("cargo:rerun-if-changed=csrc/add.c");
}
EOF
cat >"$project/csrc/add.c" <<'EOF'
#include <stdint.h>
int32_t add(int32_t a, int32_t b) { return a + b; }
EOF
cat >"$project/src/main.rs" <<'EOF'
extern "C" {
    fn add(a: i32, b: i32) -> i32;
}

fn main() {
    let sum = std::thread::spawn(|| unsafe { add(40, 2) }).join().unwrap();
    println!(
        "Hello from {} on {}: C says that 40 + 2 is {sum}",
        std::env::consts::OS,
        std::env::consts::ARCH
    );
}
EOF
cd "$project"

step "xtool add $target"
if [ -d "$(rustc --print target-libdir --target "$target" 2>/dev/null)" ]; then
  run xtool add "$target"
elif run xtool add "$target"; then
  :
else
  step 'No ready-made standard library here: letting cargo build it from source (build-std)'
  rust_library_source "$work/rust-src" || die "neither rustup nor Debian has the library source of $(rustc --version)"
  printf '    $ export RUSTC_BOOTSTRAP=1%s\n' "${__CARGO_TESTS_ONLY_SRC_ROOT:+ __CARGO_TESTS_ONLY_SRC_ROOT=…/library}"
  run xtool add "$target" --build-std
fi

step 'What it wrote'
run cat .cargo/config.toml

step "cargo build --target $target"
run cargo build --target "$target"

step 'Running it'
exe=target/$target/debug/hello
case $target in
*windows*)
  exe=$exe.exe
  if ! command -v wine wine64 wine-stable >/dev/null && [ ! -x /usr/lib/wine/wine64 ]; then
    need_packages wine64 || {
      printf 'skipped: no wine, and this user may not install it: apt-get install wine64\n'
      file "$exe" 2>/dev/null || ls -l "$exe"
      exit 0
    }
  fi
  ;;
*-linux-*)
  [ "${target%%-*}" = "$(uname -m)" ] || need_packages qemu-user || {
    printf 'skipped: no qemu, and this user may not install it: apt-get install qemu-user\n'
    exit 0
  }
  ;;
*)
  printf 'Built %s; programs for it cannot run on this machine.\n' "$exe"
  exit 0
  ;;
esac
run cargo run --quiet --target "$target"
printf '\nDone: %s\n' "$project/$exe"
