#!/bin/sh
# podium must never need LibTorch: it serves on machines that have none. $1: the binary.
set -eu
libraries=$(ldd "$1")
echo "$libraries" | grep -q 'libc\.so' || { echo "ldd said nothing of use: $libraries"; exit 1; }
if echo "$libraries" | grep -iE 'torch|libc10|cuda'; then
  echo "FAILED: podium links LibTorch"
  exit 1
fi
echo passed
