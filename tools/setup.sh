#!/usr/bin/env bash
# Installs what podium needs on Debian 12, from Debian's packages. Idempotent: with everything in
# place it asks dpkg once and does nothing.
#
#   tools/setup.sh [train]
#
# train: what `cmake --preset gpu` needs beside CUDA and PyTorch.
set -euo pipefail

packages=(build-essential cmake ninja-build ccache lld pkg-config git python3 python3-pip
  libtorch-dev libgloo-dev libfaiss-dev libxgboost-dev libsimdjson-dev libtomlplusplus-dev libcli11-dev
  nlohmann-json3-dev libfmt-dev libgtest-dev libopenblas-pthread-dev zlib1g-dev libzip-dev libssl-dev
  libutf8proc-dev libcurl4-openssl-dev libsqlite3-dev libboost-dev prometheus-cpp-dev clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev libomp-14-dev chromium)
command -v npm >/dev/null || packages+=(nodejs npm)  # Debian's npm stands beside no other Node

if [ "${1:-}" = train ]; then
  packages=(build-essential cmake ninja-build git libsimdjson-dev libtomlplusplus-dev libcli11-dev
    nlohmann-json3-dev libfmt-dev libopenblas-pthread-dev zlib1g-dev libzip-dev libssl-dev libutf8proc-dev)
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null || {
  echo "setup: this is no Debian system; install by hand: ${missing[*]}" >&2
  exit 1
}
run=()
[ "$(id -u)" -eq 0 ] || run=(sudo)
echo "setup: installing ${#missing[@]} packages" >&2
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -q >&2
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
  "${missing[@]}" >&2
