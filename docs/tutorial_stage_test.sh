#!/bin/sh
# Follows the tutorial of a stage: its unit test, its commands, what they leave.
# $1: podium with the new stage   $2: its unit test   $3: the page's commands
set -eu
podium=$1 test=$2 commands=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAILED: $1" >&2; exit 1; }

"$test"
"$podium" train --help | grep -q '^ *freshness ' || fail "--help does not list the stage"
mkdir -p "$dir/build/bin"
ln -s "$podium" "$dir/build/bin/podium"
(cd "$dir" && sh "$commands") >"$dir/answer"
cat "$dir/answer"
grep -q '"popularity": [0-9]' "$dir/answer" || fail "no age of what popularity shows"
# Run again, it is skipped; its manifest names it.
grep -q '"stage": "freshness"' "$dir/out/run/stages/freshness/manifest.json" || fail "no manifest"
echo passed
