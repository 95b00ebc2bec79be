#!/usr/bin/env bash
# Runs the fuzz targets (tests/fuzz), one after the other, and says how many executions each had.
#
#   scripts/fuzz.sh [SECONDS [TARGET…]]    default: 600, all of them
#
# Needs cargo-fuzz and a nightly toolchain. Builds into target/fuzz and keeps there what it finds.
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

seconds=${1:-600}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(zip tar deb manifest inspect)
cargo fuzz --version >/dev/null 2>&1 || die 'cargo-fuzz is not installed: cargo install cargo-fuzz'

base=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
seeds=$base/seeds
rm -rf "$seeds"
mkdir -p "$seeds/zip" "$seeds/tar" "$seeds/deb" "$seeds/manifest" "$seeds/inspect" "$seeds/tree/usr/bin"

# A small good archive of each kind, with a folder, a program, a link and a hard link.
echo hello > "$seeds/tree/usr/bin/tool"
chmod 755 "$seeds/tree/usr/bin/tool"
ln -s tool "$seeds/tree/usr/bin/alias"
ln "$seeds/tree/usr/bin/tool" "$seeds/tree/usr/bin/twin"
python3 - "$seeds" <<'PYTHON'
import io, os, sys, tarfile, zipfile
seeds = sys.argv[1]
tree = os.path.join(seeds, "tree")
def tar(mode, format):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=format) as t:
        t.add(tree, arcname="usr")
    return out.getvalue()
def save(kind, name, data):
    with open(os.path.join(seeds, kind, name), "wb") as f:
        f.write(data)
save("tar", "plain", b"\0" + tar("w", tarfile.GNU_FORMAT))
save("tar", "pax", b"\0" + tar("w", tarfile.PAX_FORMAT))
save("tar", "gz", b"\1" + tar("w:gz", tarfile.PAX_FORMAT))
save("tar", "xz", b"\2" + tar("w:xz", tarfile.PAX_FORMAT))
for name, how in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as z:
        z.writestr("usr/", b"")
        z.writestr("usr/bin/tool", b"hello hello hello\n" * 20)
        link = zipfile.ZipInfo("usr/bin/alias")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        z.writestr(link, "tool")
    save("zip", name, out.getvalue())
def member(name, data):
    head = b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name, 0, 0, 0, b"100644", len(data))
    return head + data + b"\n" * (len(data) % 2)
def deb(name, data):
    return b"!<arch>\n" + member(b"debian-binary", b"2.0\n") + member(b"control.tar.xz", tar("w:xz", tarfile.GNU_FORMAT)) + member(name, data)
save("deb", "xz", deb(b"data.tar.xz", tar("w:xz", tarfile.GNU_FORMAT)))
save("deb", "gz", deb(b"data.tar.gz", tar("w:gz", tarfile.GNU_FORMAT)))
save("deb", "plain", deb(b"data.tar", tar("w", tarfile.GNU_FORMAT)))
PYTHON
head -c 12000 toolchains.toml > "$seeds/manifest/built-in"
cat > "$seeds/manifest/small" <<'TOML'
schema = 1
[toolchain.t]
version = "1.0"
family = "gcc"
license = "MIT"
library-path = ["lib/{multiarch}"]
[[toolchain.t.artifact]]
host = "x86_64-unknown-linux-gnu"
sources = [{ url = "https://example.org/t.tar.xz", sha256 = "0000000000000000000000000000000000000000000000000000000000000000", size = 1, root = "t" }]
[target.x86_64-unknown-linux-musl]
toolchains = ["t"]
[target.x86_64-unknown-linux-musl.t]
linker = "bin/{triple}-gcc"
ar = "bin/{triple}-ar"
TOML
# A small program of each format.
rustc --edition 2024 -o "$base/seeds-of-inspect" tests/fuzz/seeds.rs
"$base/seeds-of-inspect" "$seeds/inspect"

failed=0
for target in "${targets[@]}"; do
  mkdir -p "$base/corpus/$target"
  log=$base/$target.log
  if cargo +nightly fuzz run --fuzz-dir tests/fuzz --target-dir "$base/build" "$target" \
    "$base/corpus/$target" "$seeds/$target" -- \
    -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
    -artifact_prefix="$base/$target-" >"$log" 2>&1; then
    verdict=ok
  else
    verdict="FAILED: see $log"
    failed=1
  fi
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  echo "$target: ${executions:-no} executions, $verdict"
done
exit "$failed"
