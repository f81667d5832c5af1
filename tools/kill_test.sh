#!/bin/bash
# kill -9 at random moments, then the same command: the run must end with the very numbers of an
# undisturbed one, which has one thread where this one has two.
#
#   tools/kill_test.sh BIN_DIR DATA_DIR [KILLS] [further flags of podium train...]
#
# BIN_DIR holds podium and podium-train; DATA_DIR may be `simulated`: a small shop made on the spot.
# Needs a few times the time of one run. SEED chooses the moments; WORK the scratch directory.
set -euo pipefail

if [ $# -lt 2 ]; then
  sed -n '2,8p' "$0" | sed 's/^# \{0,1\}//'
  exit 2
fi
bin=$1 data=$2 kills=${3:-5}
shift $(( $# < 3 ? $# : 3 ))
RANDOM=${SEED:-1}
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
if [ "$data" = simulated ]; then
  data=$work/shop
  "$bin/podium" --quiet data simulate --out "$data" --users 80 --items 120 --days 120 > "$work/shop.log"
fi

run() { "$bin/podium" --quiet train --data "$data" --out "$1" "${@:2}" > "$1.log" 2>&1; }

# Runs that are killed shall not be announced by the shell.
exec 3>&2 2> >(grep -v ' Killed  ' >&3)

# What must be equal: every result, but for measured times (report.html renders report.json).
digest() {
  (cd "$1/stages" && find . -type f ! -name manifest.json ! -name report.html | LC_ALL=C sort | while read -r file; do
    case $file in
      *.json | *.jsonl)
        sum=$(sed -E 's/"(milliseconds|seconds|peak_mb|timings)": *(\[[^]]*\]|[-0-9.e+]+|null)//g' \
                "$file" | sha256sum) ;;
      *) sum=$(sha256sum < "$file") ;;
    esac
    echo "$sum $file"
  done)
}

echo "undisturbed run in $work/whole"
start=$(date +%s%N)
run "$work/whole" --threads 1 "$@"
whole_ms=$(( ($(date +%s%N) - start) / 1000000 ))
echo "took $whole_ms ms"

# A trainer that writes down what it is told.
printf '#!/bin/sh\necho "$@" >>"%s/told"\nexec "%s/podium-train" "$@"\n' \
  "$work" "$(realpath "$bin")" > "$work/trainer"
chmod +x "$work/trainer"
killed() { run "$work/killed" --threads 2 --trainer "$work/trainer" "$@"; }

for (( i = 1; i <= kills; ++i )); do
  # Moments spread over the run: each attempt goes on where the last one was killed.
  wait_ms=$(( RANDOM % (2 * whole_ms / (kills + 1) + 1) ))
  killed "$@" &
  child=$!
  sleep "$(( wait_ms / 1000 )).$(printf %03d $(( wait_ms % 1000 )))"
  # run is a function in a subshell: its child is podium itself.
  target=$(ps -o pid= --ppid "$child" | head -1 | tr -d ' ') || true  # none: the run is over
  if [ -n "$target" ] && kill -9 "$target" 2> /dev/null; then
    at=$(ls "$work/killed/work" 2> /dev/null | tr '\n' ' ') || true
    echo "kill $i after $wait_ms ms${at:+, in stage $at}"
  else
    echo "kill $i came after the end"
  fi
  wait "$child" 2> /dev/null || true
done
killed "$@"

if ! diff <(digest "$work/whole") <(digest "$work/killed"); then
  echo "FAILED: the killed run ended differently; see $work" >&2
  exit 1
fi
told=$(grep -E ' (midtrain|sft|rl) ' "$work/told") || true
if [ -z "$told" ] || grep -qv -- '--threads 2' <<< "$told"; then
  echo "FAILED: the trainer was not told of --threads 2; see $work/told" >&2
  exit 1
fi
echo "equal: $(digest "$work/whole" | wc -l) files"
[ -n "${WORK:-}" ] || rm -rf "$work"
