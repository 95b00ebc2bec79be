#!/usr/bin/env bash
# Builds xtool for other hosts with xtool itself, and tries what can be tried here: the Linux programs are static and
# run (arm64's under qemu), the Windows one lists, shows and adds under wine from a mirror on loopback, the macOS ones
# are judged by structure, each and as one file of both.
#
#   scripts/release.sh [TRIPLE…]        results in target/release-hosts/dist
#
# macOS needs an Apple SDK (frameworks): XTOOL_SDK names one; without it a stand-in of stubs is made, good for
# compiling and linking, and the result is marked as not for release.
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(x86_64-unknown-linux-musl aarch64-unknown-linux-musl x86_64-pc-windows-gnu
  aarch64-apple-darwin x86_64-apple-darwin)
top=$PWD
base=${CARGO_TARGET_DIR:-$PWD/target}
work=$base/release-hosts
profile=${XTOOL_RELEASE_PROFILE:-release}
folder=$profile
[ "$profile" != dev ] || folder=debug
export XTOOL_HOME=${XTOOL_HOME:-$work/home}
mkdir -p "$work/dist"

step 'What it needs'
need_packages gcc libc6-dev python3 wine64 qemu-user file >/dev/null ||
  printf 'not installed: this user may not; what needs it will fail and say so\n'
rust_library_source "$base/rust-src" || die "no library source for $(rustc --version)"

if [ -z "${XTOOL_BIN:-}" ]; then
  step 'xtool, built for this host'
  run cargo build --locked
  XTOOL_BIN=$base/debug/xtool
fi

# The configuration goes into a project of its own, so that this checkout stays as it is; cargo takes it by --config.
project=$work/project
mkdir -p "$project/src"
printf '[package]\nname = "release-hosts"\nedition = "2024"\n[workspace]\n' >"$project/Cargo.toml"
touch "$project/src/lib.rs"

sdk_of_macos() {
  if [ -n "${XTOOL_SDK:-}" ]; then
    run "$XTOOL_BIN" sdk import "$XTOOL_SDK"
    return
  fi
  (cd "$project" && run "$XTOOL_BIN" -q add aarch64-apple-darwin --toolchain zig --no-rust-std)
  local zig sdk
  zig=$(cd "$project" && "$XTOOL_BIN" show aarch64-apple-darwin --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["installed"]["path"])')
  sdk=$(scripts/stub-sdk.sh "$zig" "$work")
  # One of an earlier run would stay, and lack what was added since.
  [ "$XTOOL_HOME" != "$work/home" ] || rm -rf "$XTOOL_HOME/sdks"
  printf '    no XTOOL_SDK: a stand-in of stubs; the macOS programs are not for release\n'
  run "$XTOOL_BIN" -q sdk import "$sdk"
}

# A static program, run: --version, then list.
try_linux() {
  local exe=$1
  file "$exe" | grep -Eq 'static(ally|-pie) linked' || die "$exe is not static: $(file "$exe")"
  XTOOL_HOME=$work/try-linux "${@:2}" "$exe" --version
  XTOOL_HOME=$work/try-linux "${@:2}" "$exe" list | grep -q x86_64-pc-windows-gnu || die "$exe list"
  printf '    static; --version and list ran\n'
}

# Under wine: list, show, and add with everything from a mirror on loopback.
try_windows() {
  local exe=$1 run_it=$2 dir=$work/try-windows cache server port='' i
  rm -rf "$dir" && mkdir -p "$dir/project/src"
  printf '[package]\nname = "w"\nedition = "2021"\n[workspace]\n' >"$dir/project/Cargo.toml"
  printf 'fn main() {}\n' >"$dir/project/src/main.rs"
  # The archive that a Windows host takes, fetched by this host's xtool; its cache is a mirror.
  (cd "$work" && XTOOL_HOST=x86_64-pc-windows-msvc run "$XTOOL_BIN" -q fetch x86_64-unknown-linux-musl --toolchain zig)
  cache=$("$XTOOL_BIN" cache dir | tail -n 1)
  [ -d "$cache/downloads" ] || cache=${XTOOL_CACHE_DIR:-$XTOOL_HOME/cache}
  python3 -u -m http.server --bind 127.0.0.1 --directory "$cache/downloads" 0 >"$dir/server.log" 2>&1 &
  server=$!
  for i in $(seq 100); do
    port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$dir/server.log" | head -n 1)
    [ -z "$port" ] || break
    sleep 0.1
  done
  [ -n "$port" ] || die "no mirror after ${i} tries: $(cat "$dir/server.log")"
  if (
    cd "$dir/project"
    unset XTOOL_CACHE_DIR XTOOL_SYSTEM_HOME
    # What this machine's paths are to a Windows program.
    export WINEDEBUG=-all XTOOL_HOME="Z:${dir//\//\\}\\home" XTOOL_MIRROR="http://127.0.0.1:$port"
    "$run_it" "$exe" list >"$dir/list" && "$run_it" "$exe" show x86_64-unknown-linux-musl >"$dir/show" &&
      "$run_it" "$exe" add x86_64-unknown-linux-musl --no-rust-std
  ); then kill "$server"; else
    kill "$server"
    die "$exe under wine"
  fi
  grep -q x86_64-unknown-linux-musl "$dir/list" || die "$exe list: $(cat "$dir/list")"
  grep -q 'zig 0.15.2' "$dir/show" || die "$exe show: $(cat "$dir/show")"
  ls "$dir"/home/toolchains/zig-*/zig.exe || die "$exe add: no toolchain"
  grep -q '^\[target.x86_64-unknown-linux-musl\]' "$dir/project/.cargo/config.toml" || die "$exe add: no configuration"
  printf '    list, show and add ran under wine\n'
}

sdk_done=
for target in "${targets[@]}"; do
  step "$target"
  case $target in *-apple-*) [ -n "$sdk_done" ] || sdk_of_macos && sdk_done=1 ;; esac
  (cd "$project" && run "$XTOOL_BIN" -q add "$target" --toolchain zig --build-std)
  run cargo --config "$project/.cargo/config.toml" build --locked --profile "$profile" --bin xtool -Zbuild-std \
    --target "$target" --target-dir "$work/target"
  exe=$work/target/$target/$folder/xtool
  runner=$(sed -n "/^\[target.$target\]/,/^\[/s/^runner = \"\(.*\)\"/\1/p" "$project/.cargo/config.toml")
  case $target in
  x86_64-*-linux-musl) try_linux "$exe" ;;
  *-linux-musl) try_linux "$exe" "$runner" ;;
  *-windows-*) exe=$exe.exe && try_windows "$exe" "$runner" ;;
  *-apple-*)
    file "$exe"
    file "$exe" | grep -q 'Mach-O 64-bit' || die "$exe is no Mach-O program"
    ;;
  esac
  cp "$exe" "$work/dist/xtool-$target${exe##*xtool}"
done

both=("$work"/dist/xtool-{aarch64,x86_64}-apple-darwin)
if [ -f "${both[0]}" ] && [ -f "${both[1]}" ]; then
  step 'macOS, both CPUs in one file'
  universal=$work/dist/xtool-universal-apple-darwin
  (cd "$project" && run "$XTOOL_BIN" exec aarch64-apple-darwin -- lipo -create "${both[@]}" -output "$universal")
  [ "$(cd "$project" && "$XTOOL_BIN" exec aarch64-apple-darwin -- lipo -archs "$universal")" = 'x86_64 arm64' ] ||
    die "$universal has other CPUs"
  # macOS on arm64 runs nothing unsigned; on x86-64 it does.
  (cd "$project" && "$XTOOL_BIN" exec aarch64-apple-darwin -- lipo -thin arm64 "$universal" -output "$work/arm64-of-both")
  "$XTOOL_BIN" inspect "$work/arm64-of-both" --require signed || die "$universal: arm64 is not signed"
fi
step 'Done'
(cd "$top" && ls -l "$work/dist")
