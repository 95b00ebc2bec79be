#!/usr/bin/env bash
# Sets a newcomer up in a project that has an xtool.toml: gets xtool if it is missing, runs `xtool sync --locked` and
# `xtool verify`, and says what to type. Run it in the project, as often as you like: done once, it says nothing.
#
#   …/xtool/scripts/onboard.sh [--yes] [--trust]
#
#   --yes     build and install xtool without asking, where it is missing
#   --trust   allow what the project itself brings (its toolchains.toml, paths, runners), as xtool's own flag does
#
# XTOOL_BIN names an xtool that is built already. Where xtool is missing it is built from the checkout that this
# script lies in, into cargo's folder for programs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
yes=
trust=()
for arg in "$@"; do
  case $arg in
  --yes) yes=1 ;;
  --trust) trust=(--trust) ;;
  -h | --help)
    sed -n 's/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed 1d
    exit 0
    ;;
  *)
    printf 'error: unknown argument `%s`: --yes or --trust\n' "$arg" >&2
    exit 2
    ;;
  esac
done

die() {
  printf 'error: %s\nhelp: %s\n' "$1" "$2" >&2
  exit 1
}

# The project first: nothing is installed for a folder that needs nothing.
project=$PWD
until [ -e "$project/xtool.toml" ]; do
  [ "$project" != / ] || die "no xtool.toml in \`$PWD\` or above it" 'cd into the project; one that has none yet is begun with xtool add TRIPLE'
  project=$(dirname "$project")
done
cd "$project"

if [ -n "${XTOOL_BIN:-}" ]; then
  [ -x "$XTOOL_BIN" ] || die "XTOOL_BIN names \`$XTOOL_BIN\`, which is no program" 'unset XTOOL_BIN, or name an xtool'
  xtool=$XTOOL_BIN
elif xtool=$(command -v xtool); then
  :
else
  [ -e "$here/toolchains.toml" ] || die "xtool is not installed, and this script is not in a checkout of it" 'export XTOOL_BIN=/path/to/xtool'
  command -v cargo >/dev/null || die 'xtool is not installed, and cargo, which builds it, is not in PATH' 'install Rust first (https://rustup.rs)'
  if [ -z "$yes" ]; then
    [ -t 0 ] || die 'xtool is not installed, and nobody is here to ask' 'onboard.sh --yes   (builds it and installs it into ~/.cargo/bin)'
    read -r -p "xtool is not installed. Build it from $here and install it with cargo install? [y/N] " answer
    [[ $answer == [yY]* ]] || die 'xtool is not installed' 'onboard.sh --yes, or XTOOL_BIN=/path/to/xtool onboard.sh'
  fi
  cargo install --quiet --locked --path "$here"
  xtool=${CARGO_INSTALL_ROOT:-${CARGO_HOME:-$HOME/.cargo}}/bin/xtool
fi

# What was proved before stays proved until the lock or the place changes.
proof=$("$xtool" cache dir)/onboarded/$({ "$xtool" cache key && printf '%s\n' "$project"; } | cksum | tr ' ' -)
quiet=()
[ ! -e "$proof" ] || quiet=(--quiet)
# What failed stands on stderr already.
said=$("$xtool" sync --locked --json "${quiet[@]}" "${trust[@]}") || {
  printf 'Then run %s again, with --trust if you allow what was asked for.\n' "$0" >&2
  exit 1
}
if [ -e "$proof" ] && [[ $said != *'"changed": true'* && $said != *'"fresh": true'* ]]; then
  exit 0
fi
"$xtool" verify
mkdir -p "$(dirname "$proof")"
touch "$proof"

printf '\nReady. What to type:\n'
"$xtool" list --json |
  awk -F '"' '/"triple":/ { t = $4 } /"configured": true/ { print t }' |
  while read -r triple; do
    if [ -e Cargo.toml ]; then
      printf '  cargo build --target %s\n' "$triple"
    else
      printf '  xtool exec %s -- make        (or cmake, meson, go: see xtool env --help)\n' "$triple"
    fi
  done
