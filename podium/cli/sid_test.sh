#!/bin/sh
# At least 99 % of the items of every real data set with item text have a semantic ID of their own.
# $1: the binary   $2: the folder of the data sets; empty: $PODIUM_DATA   further: their names
set -eu
podium=$1 data=${2:-${PODIUM_DATA:-}}
shift 2
[ -n "$data" ] || { echo "skipped: needs \$PODIUM_DATA"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for set in "$@"; do
  PODIUM_DATA=$data "$podium" --quiet data get "$set" --out "$dir/$set" > "$dir/log"
  "$podium" --quiet train --data "$dir/$set" --out "$dir/run-$set" --until sid > "$dir/log"
  share=$(sed -n 's/.*"uniqueness": *\([0-9.]*\).*/\1/p' "$dir/run-$set/stages/sid/sid.json")
  echo "$set: $share of the items are unique"
  awk -v share="$share" 'BEGIN { exit !(share >= 0.99) }'
done
