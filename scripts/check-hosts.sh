#!/usr/bin/env bash
# Compiles xtool for the other hosts, Windows and macOS: its native parts with xtool's own toolchains, Rust's
# standard library from source.
#
#   scripts/check-hosts.sh [TRIPLE…]
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(x86_64-pc-windows-gnu aarch64-apple-darwin)
work=${CARGO_TARGET_DIR:-$PWD/target}
export XTOOL_HOME=${XTOOL_HOME:-$work/check-hosts/home}

step 'xtool, built for this host'
run cargo build --locked
xtool=$work/debug/xtool

step 'The library source'
rust_library_source "$work/rust-src" || die "no library source for $(rustc --version)"

# The configuration goes into a project of its own, so that this checkout stays as it is; cargo takes it by --config.
project=$work/check-hosts/project
mkdir -p "$project/src"
printf '[package]\nname = "check-hosts"\nedition = "2024"\n[workspace]\n' >"$project/Cargo.toml"
touch "$project/src/lib.rs"
for target in "${targets[@]}"; do
  step "cargo check for $target"
  (cd "$project" && run "$xtool" add "$target" --toolchain zig --no-rust-std)
  run cargo --config "$project/.cargo/config.toml" check --locked -Zbuild-std \
    --target "$target" --target-dir "$work/check-hosts/target"
done
