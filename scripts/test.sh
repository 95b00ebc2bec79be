#!/usr/bin/env bash
# Installs what the tests need and runs all of them.
#
#   scripts/test.sh [cargo test's filter and arguments]
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

# No test may fetch Rust's own parts: a closed port fails at once, and everywhere alike.
export RUSTUP_DIST_SERVER=http://127.0.0.1:9

step 'What the tests need'
need_packages bsdutils file fish zsh llvm gcc g++ libc6-dev python3 python3-pip python3-venv wine64 qemu-user binutils xz-utils zstd unzip git strace debootstrap util-linux ca-certificates cmake meson ninja-build pkg-config golang-go nginx-light make ccache sccache ||
  printf 'not installed: this user may not; tests that need what is absent will fail and say so\n'
if ! rust_library_source "${CARGO_TARGET_DIR:-$PWD/target}/rust-src"; then
  printf 'no library source for %s: the end-to-end builds will fail and say so\n' "$(rustc --version)"
fi
# Only the builds under test want it.
export XTOOL_TEST_BOOTSTRAP=$RUSTC_BOOTSTRAP
unset RUSTC_BOOTSTRAP

# The tests write thousands of files and see to it that they are on the disk: a disk in memory takes half the time.
if memory=$(memory_folder 4); then
  trap 'rm -rf "$memory"' EXIT
  export TMPDIR=$memory
fi

step 'Tests'
run cargo test --locked --lib --bins --tests "$@"
