#!/usr/bin/env bash
# fuzz_one.sh BINARY SECONDS: runs one fuzzer on a copy of its seeds; prints its log on a finding.
set -euo pipefail
binary=$1 seconds=$2
name=$(basename "$binary" _fuzz)
work=$(dirname "$binary")/runs/$name
rm -rf "$work" && mkdir -p "$work/corpus"
[ -d "fuzz/corpus/$name" ] && cp fuzz/corpus/"$name"/* "$work/corpus/"
if ! "$binary" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -artifact_prefix="$work/" \
  "$work/corpus" >"$work/log" 2>&1; then
  tail -n 60 "$work/log"
  exit 1
fi
echo "fuzz: $name, $(grep -oE 'Done [0-9]+ runs' "$work/log" | tail -n 1) without a finding"
