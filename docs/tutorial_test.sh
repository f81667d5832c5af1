#!/bin/sh
# Follows a retriever's tutorial: its unit test, its commands, its row in the report.
# $1: podium with the new source   $2: its unit test   $3: the page's commands   $4: the source
# $5: MovieLens-100K's files
set -eu
podium=$1 test=$2 commands=$3 name=$4 data=$5
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAILED: $1" >&2; exit 1; }

"$test"
mkdir -p "$dir/build/bin"
ln -s "$podium" "$dir/build/bin/podium"
"$podium" data get ml-100k --from "$data" --out "$dir/out/ml-100k" >/dev/null
(cd "$dir" && sh "$commands") >"$dir/table"
cat "$dir/table"
grep -q "│ *$name \|^ *$name " "$dir/table" || fail "no row '$name' in the table"
upstream=$dir/out/shelf/stages/upstream
grep -q "\"${name}_score\"" "$upstream/upstream.json" || fail "the ranker knows no ${name}_score"
[ -s "$upstream/serving/$name.safetensors" ] || fail "a server would not get the source"
echo passed
