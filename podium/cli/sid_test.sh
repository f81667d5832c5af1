#!/bin/sh
# At least 99 % of the items of every real data set with item text have a semantic ID of their own.
# $1: the binary.
set -eu
podium=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for set in ml-100k ml-latest-small amazon-beauty amazon-sports mind-small; do
  "$podium" --quiet data get $set --out "$dir/$set" > "$dir/log"
  "$podium" --quiet train --data "$dir/$set" --out "$dir/run-$set" --until sid > "$dir/log"
  share=$(sed -n 's/.*"uniqueness": *\([0-9.]*\).*/\1/p' "$dir/run-$set/stages/sid/sid.json")
  echo "$set: $share of the items are unique"
  awk -v share="$share" 'BEGIN { exit !(share >= 0.99) }'
done
