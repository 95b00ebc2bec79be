#!/usr/bin/env bash
# Assembles the drivers' machine code, src/shim/driver/*.s, into the files beside them that xtool is compiled with.
#
#   scripts/drivers.sh [FOLDER]     write the files into FOLDER instead
#
# LLVM's assembler knows both machines, whatever this one is.
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

into=${1:-src/shim/driver}
need_packages llvm || die 'llvm is not installed and cannot be'
for source in src/shim/driver/*.s; do
  machine=$(basename "$source" .s)
  object=$(mktemp)
  llvm-mc -triple="$machine-linux-gnu" -filetype=obj "$source" -o "$object"
  llvm-objcopy -O binary -j .text "$object" "$into/$machine.bin"
  rm "$object"
done
