#!/usr/bin/env bash
# Builds one small program a crate and target with plain `cargo build`, runs it where an emulator exists, and prints a
# table with counts.
#
#   scripts/matrix.sh [--target T]… [--crate C]… [--toolchain NAME[@VERSION]] [--peer] [--again] [--join FILE]… [--table] [--every]
#
#   --target, --crate   only these; both may be given several times
#   --toolchain         this one for every target (default: each target's own)
#   --peer              build the same with `cargo zigbuild` (from PyPI), in a state of its own; the table then has both
#   --again             repeat what failed; passed pairs are never repeated
#   --join              take up the results of another state file too; what is known here counts more
#   --table             only print what the state file has
#   --every             list every pair under the table, not only failures
#
# Every result is kept in XTOOL_MATRIX (default target/matrix), so that a run can be broken off, taken up, done in
# pieces and joined: state files are lines `crate target result seconds remark commit`, and the last one for a pair
# counts. tests/projects/matrix/results-*.tsv are those of the runs so far: `--join` them to go on from there. The
# peer's table takes xtool's results from results-xtool.tsv and the state by itself: join results-zigbuild.tsv only.
# XTOOL_MATRIX_TARGET is cargo's target directory, for what has compiled Rust's library already.
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

all_targets=(
  x86_64-unknown-linux-musl x86_64-pc-windows-gnu aarch64-unknown-linux-gnu aarch64-apple-darwin wasm32-wasip1
  x86_64-unknown-linux-gnu aarch64-unknown-linux-musl x86_64-apple-darwin x86_64-pc-windows-gnullvm i686-pc-windows-gnu
  i686-unknown-linux-musl armv7-unknown-linux-musleabihf riscv64gc-unknown-linux-musl
  armv7-unknown-linux-gnueabihf i686-unknown-linux-gnu riscv64gc-unknown-linux-gnu powerpc64le-unknown-linux-gnu
  s390x-unknown-linux-gnu aarch64-pc-windows-gnullvm
)
all_crates=(std zstd liblzma cxx ring bindgen rusqlite mimalloc windows libz-sys jemalloc aws-lc-rs openssl)

targets=() crates=() joined=() toolchain='' peer='' again='' only_table='' every=''
while [ $# -gt 0 ]; do
  case $1 in
  --target) targets+=("${2:?}") && shift ;;
  --crate) crates+=("${2:?}") && shift ;;
  --toolchain) toolchain=${2:?} && shift ;;
  --peer) peer=1 ;;
  --again) again=1 ;;
  --join) joined+=("$(realpath "${2:?}")") && shift ;;
  --table) only_table=1 ;;
  --every) every=1 ;;
  *) die "unknown argument $1; the head of $0 lists them" ;;
  esac
  shift
done
[ ${#targets[@]} -gt 0 ] || targets=("${all_targets[@]}")
[ ${#crates[@]} -gt 0 ] || crates=("${all_crates[@]}")

base=${CARGO_TARGET_DIR:-$PWD/target}
work=${XTOOL_MATRIX:-$base/matrix}
name=xtool
# Two versions of one toolchain never share results.
[ -z "$toolchain" ] || name=${toolchain//@/-}
[ -z "$peer" ] || name=zigbuild
state=$work/state-$name.tsv
mkdir -p "$work/logs-$name"
touch "$state"
if [ ${#joined[@]} -gt 0 ]; then
  cat "${joined[@]}" "$state" >"$state.new"
  mv "$state.new" "$state"
fi
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)

# The last result of a pair.
result_of() { awk -F '\t' -v c="$1" -v t="$2" '$1 == c && $2 == t { r = $3 } END { print r }' "$state"; }

# A pair that there is nothing to build for.
applies() { [ "$1" != windows ] || [[ $2 == *-windows-* ]]; }

# Why a pair that fails may fail: the crate's own words, or the same failure in a native build or a peer.
excuse() {
  awk -F '\t' -v c="$1" -v t="$2" '
    !/^#/ && NF >= 3 { tt = $2; gsub(/\*/, ".*", tt); if ($1 == c && t ~ "^" tt "$") { print $3; exit } }
  ' tests/projects/matrix/excused.tsv
}

# A pair's result as the table has it; a third argument: nothing is excused.
shown() {
  local result
  applies "$1" "$2" || { echo '·' && return; }
  result=$(result_of "$1" "$2")
  if [ -z "${3:-}" ] && [ "$result" = FAILED ] && [ -n "$(excuse "$1" "$2")" ]; then result=excused; fi
  echo "${result:--}"
}

table() {
  local crate target result width=10 beside=$work/beside.tsv
  if [ -n "$peer" ]; then
    width=18
    cat tests/projects/matrix/results-xtool.tsv "$work/state-xtool.tsv" >"$beside" 2>/dev/null || true
    printf '\nxtool, then cargo zigbuild (built only: it brings no runners):\n'
  fi
  printf '\n%-32s' ''
  for crate in "${crates[@]}"; do printf "%-$width.9s" "$crate"; done
  printf '\n'
  declare -A count=()
  for target in "${targets[@]}"; do
    printf '%-32s' "$target"
    for crate in "${crates[@]}"; do
      result=$(shown "$crate" "$target" "$peer")
      [ "$result" = '·' ] || count[$result]=$((${count[$result]:-0} + 1))
      if [ -n "$peer" ] && [ "$result" != '·' ]; then
        result="$(state=$beside && shown "$crate" "$target") $result"
      fi
      printf "%-${width}s" "$result"
    done
    printf '\n'
  done
  printf '\n%sran %d, built %d (%s), excused %d, FAILED %d, not tried %d\n' "${peer:+cargo zigbuild: }" \
    "${count[ran]:-0}" "${count[built]:-0}" "$([ -n "$peer" ] && echo 'not run' || echo 'nothing here runs them')" "${count[excused]:-0}" "${count[FAILED]:-0}" "${count[-]:-0}"
  for target in "${targets[@]}"; do
    for crate in "${crates[@]}"; do
      result=$(result_of "$crate" "$target")
      if [ "$result" = FAILED ]; then
        local why=
        [ -n "$peer" ] || why=$(excuse "$crate" "$target")
        why=${why:+excused: $why}
        printf '  %s %s: %s\n' "$crate" "$target" "${why:-$(remark_of "$crate" "$target")}"
      elif [ -n "$every" ] && [ -n "$result" ]; then
        printf '  %s %s: %s %s\n' "$crate" "$target" "$result" "$(remark_of "$crate" "$target")"
      fi
    done
  done
  [ "${count[FAILED]:-0}" = 0 ]
}

remark_of() { awk -F '\t' -v c="$1" -v t="$2" '$1 == c && $2 == t { r = $5 } END { print r }' "$state"; }

if [ -n "$only_table" ]; then
  table
  exit
fi

need_crate() { printf '%s\n' "${crates[@]}" | grep -qx "$1"; }

step 'What the builds need'
packages=(gcc g++ libc6-dev make perl cmake pkg-config nasm python3-venv)
# bindgen's documentation wants both; by `clang` it finds the headers that libclang brings.
need_crate bindgen && packages+=(libclang-dev clang)
for target in "${targets[@]}"; do
  case $target in
  x86_64-*-windows-*) packages+=(wine64) ;;
  *-apple-*) packages+=(llvm) ;;
  aarch64-*-linux-*) packages+=(qemu-user libc6-arm64-cross) ;;
  armv7-*) packages+=(qemu-user libc6-armhf-cross) ;;
  i686-*-linux-*) packages+=(libc6-i386-cross) ;;
  riscv64gc-*) packages+=(qemu-user libc6-riscv64-cross) ;;
  powerpc64le-*) packages+=(qemu-user libc6-ppc64el-cross) ;;
  s390x-*) packages+=(qemu-user libc6-s390x-cross) ;;
  esac
done
need_packages "${packages[@]}" >/dev/null ||
  printf 'not installed: this user may not; a build that needs what is absent will fail\n'
rust_library_source "${CARGO_TARGET_DIR:-$PWD/target}/rust-src" || die "no library source for $(rustc --version)"
python_packages() { [ -x "$work/python/bin/python" ] || run python3 -m venv "$work/python"; }
if printf '%s\n' "${targets[@]}" | grep -q wasm && ! command -v wasmtime >/dev/null; then
  # The runtime as a Python package, behind a script by the program's name.
  python_packages
  "$work/python/bin/python" -c 'import wasmtime' 2>/dev/null || run "$work/python/bin/pip" install -q wasmtime
  mkdir -p "$work/bin"
  { printf '#!%s\n' "$work/python/bin/python" && cat scripts/run-wasm.py; } >"$work/bin/wasmtime"
  chmod +x "$work/bin/wasmtime"
  export PATH=$PATH:$work/bin
fi
# Debian's own cannot be installed everywhere; without one the programs are built only.
wine32=
if printf '%s\n' "${targets[@]}" | grep -q '^i686-.*-windows-'; then
  wine32=$(scripts/wine32.sh "$work/wine32") || printf 'no 32-bit wine: i686 Windows programs are built only\n'
fi
if [ -n "$peer" ]; then
  python_packages
  [ -x "$work/python/bin/cargo-zigbuild" ] || run "$work/python/bin/pip" install -q cargo-zigbuild ziglang==0.15.2
  export PATH=$work/python/bin:$PATH
else
  if [ -z "${XTOOL_BIN:-}" ]; then
    run cargo build --locked
    XTOOL_BIN=${CARGO_TARGET_DIR:-$PWD/target}/debug/xtool
  fi
  export XTOOL_HOME=${XTOOL_HOME:-$work/home}
fi

# A copy: the configuration goes there, this checkout stays as it is.
project=$work/project-$name
mkdir -p "$project"
cp -a tests/projects/matrix/. "$project/"
host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=${XTOOL_MATRIX_TARGET:-$work/target-$name} CARGO_TERM_COLOR=never
cd "$project"

add() {
  local flags=(--build-std)
  [ -d "$(rustc --print target-libdir --target "$1")" ] && flags=()
  [ -z "$toolchain" ] || flags+=(--toolchain "$toolchain")
  "$XTOOL_BIN" -q add "$1" "${flags[@]}"
}

# One pair: its result on stdout as `ran`, `built` or `FAILED`.
pair() {
  local crate=$1 target=$2 log=$3 build=(cargo build --locked) run_it=(cargo run --locked -q)
  [ -z "$peer" ] || build=(cargo zigbuild --locked)
  local args=(-p "matrix-$crate" --target "$target")
  # xtool's configuration says so for its own builds.
  [ -z "$peer" ] || [ -d "$(rustc --print target-libdir --target "$target")" ] || args+=(-Zbuild-std=std,panic_abort)
  if [ -z "$peer" ] && [ "$target" = "$host" ]; then
    # Nothing stands in cargo's configuration for the host's own triple, and the linker that the environment names is
    # the build scripts' too: in a shared directory, cargo would compile all of them, and so every target's Rust library,
    # again after each change between this target and another.
    local -x CARGO_TARGET_DIR=$CARGO_TARGET_DIR/host
    eval "$("$XTOOL_BIN" -q env "$target")" >>"$log" 2>&1
  fi
  timeout 3600 "${build[@]}" "${args[@]}" >>"$log" 2>&1 || {
    echo FAILED
    return
  }
  if ! structure "$CARGO_TARGET_DIR/$target/debug/matrix-$crate" "$target" >>"$log" 2>&1; then
    echo FAILED
    return
  fi
  case $target in *-apple-* | aarch64-pc-windows-*)
    echo built
    return
    ;;
  esac
  if [[ $target == i686-*-windows-* ]]; then
    if [ -z "$wine32" ]; then
      echo built
      return
    fi
    local -x PATH=$wine32:$PATH
  fi
  # The peer brings no runners, but WebAssembly is checked no further when it is linked.
  [ -z "$peer" ] || export CARGO_TARGET_WASM32_WASIP1_RUNNER='wasmtime run --dir=.'
  if [ -n "$peer" ] && [[ $target != wasm* ]]; then
    echo built
    return
  fi
  local said
  said=$(timeout 600 "${run_it[@]}" "${args[@]}" 2>>"$log") || true
  printf '%s\n' "$said" >>"$log"
  if [[ $said == "$crate ok"* ]]; then echo ran; else
    printf 'matrix: the program did not print "%s ok"\n' "$crate" >>"$log"
    echo FAILED
  fi
}

# What every program of a target must be, run or not.
structure() {
  local exe=$1 target=$2 requirements=()
  # Whose floors are another's, or the distribution's.
  [ -z "$peer" ] && [ "${toolchain%%@*}" != gnu-cross ] || return 0
  case $target in
  *-musl*) requirements=(static) ;;
  riscv64gc-*-gnu) requirements=('glibc<=2.27') ;;
  powerpc64le-*-gnu) requirements=('glibc<=2.19') ;;
  *-linux-gnu*) requirements=('glibc<=2.17') ;;
  *-windows-*) exe=$exe.exe requirements=(system-dlls-only) ;;
  aarch64-apple-*) requirements=('macos<=11.0' signed) ;;
  x86_64-apple-*) requirements=('macos<=10.12') ;;
  *) return 0 ;;
  esac
  "$XTOOL_BIN" inspect "$exe" "${requirements[@]/#/--require=}" || return
  case $target in *-apple-*) objects_of_macos "$target" ;; esac
}

# Every object that a build script made is for rustc's own oldest macOS, assembly included: one that is for a newer
# macOS makes the linker warn and the program fail there, one without a version is taken as it comes.
objects_of_macos() {
  local wanted
  wanted=$(rustc --print deployment-target --target "$1")
  find "$CARGO_TARGET_DIR/$1"/debug/build -path '*/out/*' \( -name '*.o' -o -name '*.a' \) -print0 |
    xargs -0 -r llvm-objdump --macho --private-headers | awk -v wanted="${wanted#*=}" '
    # A file, or a member of an archive: the one before it is complete.
    /^[^ \t].*:$/ { judge(); file = $0 }
    /cmd LC_VERSION_MIN_MACOSX/ { old = 1 }
    version == "" && ($1 == "minos" || old && $1 == "version") { version = $2 }
    function judge() {
      if (file != "") {
        count++
        if (version != wanted) { bad++; printf "error: %s is for macOS %s, rustc for %s\n", file, version == "" ? "of any version" : version, wanted }
      }
      file = version = ""; old = 0
    }
    END { judge(); printf "matrix: %d objects for macOS %s, %d for another\n", count, wanted, bad; exit bad > 0 }'
}

# What the log says went wrong, on one line and without this machine's folders.
remark() {
  grep -aE 'don.t know how|undefined (symbol|reference)|error: |FileNotFound|fatal error|not found|panicked at|did not print|rror:' "$1" | grep -av 'warning: unable to open library directory' |
    grep -avE 'could not compile|failed to run custom|linking with|^error: process didn' | head -n 1 | tr -d '\t' | sed "s|$work/||g; s|$base/||g; s|$HOME/|~/|g" | cut -c 1-200
}

for crate in "${crates[@]}"; do
  for target in "${targets[@]}"; do
    applies "$crate" "$target" || continue
    before=$(result_of "$crate" "$target")
    case $before in ran | built) continue ;; FAILED) [ -n "$again" ] || continue ;; esac
    log=$work/logs-$name/$crate-$target.log
    : >"$log"
    began=$SECONDS
    if [ -z "$peer" ] && ! add "$target" >>"$log" 2>&1; then
      result=FAILED
    else
      result=$(pair "$crate" "$target" "$log")
    fi
    said=
    [ "$result" != FAILED ] || said=$(remark "$log") || true
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$crate" "$target" "$result" $((SECONDS - began)) "$said" "$commit" >>"$state"
    printf '    %-12s %-32s %-8s %4d s  %s\n' "$crate" "$target" "$result" $((SECONDS - began)) "$said"
  done
done
cd - >/dev/null
table
