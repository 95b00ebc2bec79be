#!/usr/bin/env bash
# Fills a store for a CI image: the toolchains that xtool.lock names, with what they compile on first use. Run it
# where the image is built; jobs find the store read-only, need no network and no root:
#
#   scripts/ci-preload.sh [PROJECT]          (in the image; PROJECT has xtool.toml and xtool.lock; default: here)
#   xtool sync --locked --offline            (in the job)
#
# XTOOL_HOME: where the store goes; default /opt/xtool, which jobs look in by themselves. XTOOL_BIN: the xtool to use.
set -euo pipefail

cd "${1:-.}"
export XTOOL_HOME=${XTOOL_HOME:-/opt/xtool}
export XTOOL_SYSTEM_HOME=
xtool=${XTOOL_BIN:-xtool}
mkdir -p "$XTOOL_HOME"
# Downloads and other things that the image has no use for; a cache of the caller's own stays.
scratch=
if [ -z "${XTOOL_CACHE_DIR:-}" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  export XTOOL_CACHE_DIR=$scratch
fi

"$xtool" fetch --locked --warm

# A job has shims and state of its own.
for part in bin shims staging locks projects consent wine; do
  rm -rf "${XTOOL_HOME:?}/$part"
done
rm -rf "$XTOOL_HOME"/zig-cache/*/tmp
chmod -R a+rX "$XTOOL_HOME"
