#!/usr/bin/env bash
# Compiles xtool for the other hosts, Windows and macOS: its native parts with xtool's own toolchains, Rust's
# standard library from source.
#
#   scripts/check-hosts.sh [TRIPLE…]    XTOOL_BIN names an xtool that is built
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(x86_64-pc-windows-gnu aarch64-apple-darwin)
work=${CARGO_TARGET_DIR:-$PWD/target}
export XTOOL_HOME=${XTOOL_HOME:-$work/check-hosts/home}

xtool=${XTOOL_BIN:-$work/debug/xtool}
if [ -z "${XTOOL_BIN:-}" ]; then
  step 'xtool, built for this host'
  run cargo build --locked
fi

step 'The library source'
rust_library_source "$work/rust-src" || die "no library source for $(rustc --version)"

# The configuration goes into a project of its own, so that this checkout stays as it is; cargo takes it by --config.
project=$work/check-hosts/project
mkdir -p "$project/src"
printf '[package]\nname = "check-hosts"\nedition = "2024"\n[workspace]\n' >"$project/Cargo.toml"
touch "$project/src/lib.rs"
step "cargo check for ${targets[*]}"
(cd "$project" && run "$xtool" add "${targets[@]}" --toolchain zig --no-rust-std)
# The C of it only has to compile.
run cargo --config "$project/.cargo/config.toml" \
  --config 'profile.dev.package.zstd-sys.opt-level=0' --config 'profile.dev.package.liblzma-sys.opt-level=0' \
  check --locked -Zbuild-std \
  "${targets[@]/#/--target=}" --target-dir "$work/check-hosts/target"
