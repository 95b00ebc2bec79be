#!/usr/bin/env bash
# The list of faults against the tests: which case which test covers, and whether it passes.
#
#   scripts/faults.sh                    runs every test that has a case's number; a line a case: `F12 pass`,
#                                        `F12 FAIL: tests`, `F12 skip: why`, and a count
#   scripts/faults.sh --list             only says which test has which number
#   scripts/faults.sh --measure [KILLS]  kills so many runs (200) of each kind of command, and says in which phases;
#                                        twenty adds of one target against one
#   scripts/faults.sh --mutate [NAME…]   switches off one guard after the other (scripts/mutations.toml) in a copy of
#                                        the tree and says which test sees it
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

export RUSTUP_DIST_SERVER=http://127.0.0.1:9
need_packages gcc libc6-dev python3 strace util-linux >&2 ||
  printf 'not installed: this user may not; tests that need what is absent will fail and say so\n' >&2
if memory=$(memory_folder 4); then
  trap 'rm -rf "$memory"' EXIT
  export TMPDIR=$memory
fi
python3 scripts/faults.py "$@"
