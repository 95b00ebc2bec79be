#!/usr/bin/env bash
# A 32-bit wine on a 64-bit Debian that cannot install one beside its own packages: an i386 Debian in a folder, and a
# script named `wine` that runs its wine there. Needs root. Prints the folder to put into PATH.
#
#   scripts/wine32.sh [FOLDER]        default: target/wine32; about 600 MB
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

folder=${1:-${CARGO_TARGET_DIR:-$PWD/target}/wine32}
mkdir -p "$folder/bin"
folder=$(realpath "$folder")
root=$folder/root
[ "$(id -u)" = 0 ] || die 'only root can make and enter the i386 system'
need_packages debootstrap util-linux >&2 || die 'debootstrap is not installed and cannot be'
if [ ! -e "$folder/complete" ]; then
  rm -rf "$root"
  # shellcheck source=/dev/null
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$(apt-get indextargets --format '$(CREATED_BY) $(REPO_URI)' | sed -n 's/^Packages //p' | grep -v security | head -n 1)
  [ -n "$mirror" ] || die 'apt knows no mirror: apt-get update'
  debootstrap --arch=i386 --variant=minbase --include=wine32,wine "$suite" "$root" "$mirror" >"$folder/log" 2>&1 ||
    die "no i386 system: the end of $folder/log says why"
  touch "$folder/complete"
fi
# Mounts of its own, gone with the process: the whole file system stands where it stands here, but for what the i386
# system has itself.
cat >"$folder/bin/wine" <<SCRIPT
#!/bin/sh
# A folder of a 64-bit wine's cannot serve a 32-bit one.
export WINEPREFIX="\${WINEPREFIX:-$folder/prefix}"
exec unshare --mount --propagation private sh -c '
  root=\$1 here=\$2
  shift 2
  for top in proc dev tmp work home root mnt srv; do
    [ -d "/\$top" ] || continue
    mkdir -p "\$root/\$top"
    mount --rbind "/\$top" "\$root/\$top"
  done
  exec chroot "\$root" sh -c "cd \"\\\$0\" && exec /usr/bin/wine \"\\\$@\"" "\$here" "\$@"
' wine32 '$root' "\$PWD" "\$@"
SCRIPT
chmod +x "$folder/bin/wine"
printf '%s\n' "$folder/bin"
