#!/usr/bin/env bash
# Makes the README's pictures: real commands in a real terminal of 80 columns (tmux), drawn by scripts/picture.py.
#
#   scripts/pictures.sh            writes .github/add.svg and .github/inspect.svg
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

need_packages tmux python3 >/dev/null || die 'tmux is needed: apt-get install tmux'
if [ -z "${XTOOL_BIN:-}" ]; then
  run cargo build --release --locked
  XTOOL_BIN=${CARGO_TARGET_DIR:-$PWD/target}/release/xtool
fi
work=$(mktemp -d)
socket=$work/tmux
trap 'tmux -S "$socket" kill-server 2>/dev/null; rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/hello"
ln -s "$(realpath "$XTOOL_BIN")" "$work/bin/xtool"
printf '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n' >"$work/hello/hello.c"
mkdir -p .github

# Types a command into a new terminal of $1 lines, waits until it has ended, and draws what is there.
picture() {
  local lines=$1 name=$2 title=$3 command=$4 i
  tmux -S "$socket" new-session -d -x 80 -y "$lines" -c "$work/hello" \
    env -u CI -u NO_COLOR PATH="$work/bin:$PATH" XTOOL_HOME="$work/home" XTOOL_SYSTEM_HOME= PS1='$ ' bash --norc -i
  sleep 1
  tmux -S "$socket" send-keys "$command" Enter
  # It has ended when there is a second prompt.
  for i in $(seq 600); do
    sleep 0.5
    [ "$(tmux -S "$socket" capture-pane -p | grep -c '^\$')" -lt 2 ] || break
  done
  [ "$i" -lt 600 ] || die "not done after 300 s: $command"
  tmux -S "$socket" capture-pane -e -p | sed '/^\$ *$/,$d' | python3 scripts/picture.py "$title" >".github/$name.svg"
  tmux -S "$socket" kill-server
  printf '    .github/%s.svg\n' "$name"
}

target=x86_64-unknown-linux-musl
picture 20 add 'xtool add, on a terminal' "xtool add --no-cargo $target x86_64-pc-windows-gnu"
(cd "$work/hello" && PATH=$work/bin:$PATH XTOOL_HOME=$work/home XTOOL_SYSTEM_HOME='' xtool exec x86_64-pc-windows-gnu -- sh -c '$CC -g hello.c -o hello.exe')
picture 60 inspect 'xtool inspect of a Windows program' 'xtool inspect hello.exe'
