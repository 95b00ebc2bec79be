# Shared by the scripts: steps, Debian packages, and Rust's library source. Sourced, not run.
# shellcheck shell=bash

set -euo pipefail

# One step, as the user reads it.
step() { printf '\n==> %s\n' "$*"; }

# A command, shown before it runs.
run() {
  printf '    $ %s\n' "$*"
  "$@"
}

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root, or says that it cannot.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo "$@"
  else
    return 77
  fi
}

# Makes a folder in memory, prints it, or fails where none with $1 GiB can be had; whoever makes it removes it.
memory_folder() {
  local folder free
  free=$(df --output=avail -B1G /dev/shm 2>/dev/null | tail -n 1) || return 1
  [ "${free:-0}" -ge "$1" ] && [ "$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)" -ge $(($1 * 2)) ] || return 1
  folder=$(mktemp -d /dev/shm/xtool.XXXXXX) || return 1
  # As /tmp: other users' tests work in it, and programs run from it.
  chmod 1777 "$folder"
  printf '#!/bin/sh\n' >"$folder/runs"
  chmod +x "$folder/runs"
  if ! "$folder/runs" 2>/dev/null; then
    rm -rf "$folder"
    return 1
  fi
  rm "$folder/runs"
  printf '%s\n' "$folder"
}

# Installs Debian packages that are missing; 77 when this user may not.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null || return 77
  printf '    installing %s\n' "${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >/dev/null || return 77
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null || return 77
}

# Finds the library source that matches the active rustc, for build-std, and exports what cargo needs to use it:
# the sysroot's own, else Debian's package, unpacked below the folder $1. Fails when there is none.
rust_library_source() {
  local into version sysroot
  into=$(realpath -m "$1")
  version=$(rustc -vV | sed -n 's/^release: //p')
  sysroot=$(rustc --print sysroot)
  export RUSTC_BOOTSTRAP=1
  if [ -e "$sysroot/lib/rustlib/src/rust/library/Cargo.lock" ]; then
    printf '    the library source of rustc %s is in its sysroot\n' "$version"
    return 0
  fi
  if [ -e "${__CARGO_TESTS_ONLY_SRC_ROOT:-}/Cargo.lock" ]; then
    printf '    the library source is the one that the environment names\n'
    return 0
  fi
  if [ ! -e "$into/$version/library/Cargo.lock" ]; then
    command -v apt-get >/dev/null || return 1
    debian_rust_src "$into" "$version" || return 1
  fi
  # cargo's own hook for another place of the source; the sysroot stays as it is.
  export __CARGO_TESTS_ONLY_SRC_ROOT="$into/$version/library"
  printf '    the library source of rustc %s is in %s\n' "$version" "${into#"$PWD"/}/$version"
}

# Unpacks Debian's rust-src of the version $2 below $1, from the host's own mirror: its suites, then the backports
# of the next release. Nothing is installed, and apt's own state is not touched.
debian_rust_src() {
  local into=$1 version=$2 state suite mirror exact options
  state=$into/apt
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/debs"
  : >"$state/status"
  options=(-o "Dir::State=$state" -o "Dir::State::Lists=$state/lists" -o "Dir::State::status=$state/status"
    -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1)
  for suite in '' trixie-backports; do
    local sources=()
    if [ -n "$suite" ]; then
      mirror=$(apt-get indextargets --format '$(CREATED_BY) $(REPO_URI)' | sed -n 's/^Packages //p' | grep -v security | head -n 1)
      [ -n "$mirror" ] || return 1
      printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" >"$state/$suite.list"
      sources=(-o "Dir::Etc::SourceList=$state/$suite.list" -o Dir::Etc::SourceParts=/dev/null)
    fi
    apt-get -qq "${options[@]}" "${sources[@]}" update >/dev/null 2>&1 || continue
    exact=$(apt-cache "${options[@]}" "${sources[@]}" madison rust-src rust-web-src |
      awk -F ' *[|] *' -v v="$version" 'index($2, v "+") == 1 || index($2, v "-") == 1 { gsub(/ /, "", $1); print $1 "=" $2; exit }')
    [ -n "$exact" ] || continue
    printf '    unpacking Debian'\''s %s\n' "$exact"
    (cd "$state/debs" && apt-get -qq "${options[@]}" "${sources[@]}" download "$exact" >/dev/null 2>&1) || continue
    rm -rf "$into/unpack" && mkdir -p "$into/unpack"
    dpkg -x "$state"/debs/*.deb "$into/unpack"
    rm -rf "$state/debs"
    local library
    library=$(find "$into/unpack/usr" -maxdepth 5 -type d -name library -path '*rust*' | head -n 1)
    [ -e "$library/Cargo.lock" ] || return 1
    mkdir -p "$into/$version"
    mv "$library" "$into/$version/library"
    rm -rf "$into/unpack"
    return 0
  done
  return 1
}
