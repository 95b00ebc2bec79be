#!/usr/bin/env bash
# How fast xtool is, measured side by side with what else does the work: a table, and JSON.
#
#   scripts/bench.sh [ROW…] [--rounds N] [--json FILE] [--places tmpfs,disk]
#   scripts/bench.sh --list             the rows, and what each is measured against
#
#   ROW        only these (default: all); results of earlier runs stay in target/bench/results.json, so that the table
#              can be made in pieces
#   --rounds   of each side (default 5; the builds that take minutes 3)
#   --table    only print the table of all results so far
#
# Both sides of a row run in turn, in one run, with the same archive or source on the same file system, its pages in
# memory; the median counts. The commands are printed. XTOOL_BIN names the xtool (default: this checkout, built with
# `cargo build --release`); XTOOL_BENCH a folder for the work (default target/bench).
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

case " $* " in
*' --list '* | *' --table '*) exec python3 scripts/bench "$@" ;;
esac

export RUSTUP_DIST_SERVER=http://127.0.0.1:9
work=${XTOOL_BENCH:-${CARGO_TARGET_DIR:-$PWD/target}/bench}
export XTOOL_BENCH=$work
mkdir -p "$work"

step 'What it needs'
need_packages gcc libc6-dev make cmake curl unzip dpkg strace valgrind hyperfine python3-venv ca-certificates ||
  printf 'not installed: this user may not; a row that needs what is absent will fail and say so\n'
target=x86_64-pc-windows-gnu
if [ ! -d "$(rustc --print target-libdir --target "$target")" ]; then
  rust_library_source "$work/rust-src" || printf 'no library source for %s: the builds will fail and say so\n' "$(rustc --version)"
fi
if [ -z "${XTOOL_BIN:-}" ]; then
  (unset RUSTC_BOOTSTRAP && run cargo build --locked --release --bin xtool)
  XTOOL_BIN=${CARGO_TARGET_DIR:-$PWD/target}/release/xtool
  # Only then is the checkout's commit the program's.
  export XTOOL_BENCH_BUILT=1
fi
export XTOOL_BIN
if [ ! -x "$work/peers/bin/pip" ]; then
  run python3 -m venv "$work/peers"
fi
exec python3 scripts/bench "$@"
