#!/usr/bin/env bash
# From a clone to the report: build, fetch MovieLens-100K (or simulate a shop), train, show.
set -euo pipefail
cd "$(dirname "$0")/.."
podium=build/bin/podium
echo "A shop has a list today: what others bought with what you bought. GR2 puts it in a better order."
echo "The demo takes about 15 minutes on two cores: 10 to build podium, which the next time is quick,"
echo "and 5 to train. The table comes at the end. After a Ctrl-C, \`make demo\` goes on where it was."
make --no-print-directory build

data=out/ml-100k
if [ ! -e "$data/manifest.json" ]; then
  if ! $podium data get ml-100k --out "$data"; then
    echo "demo: MovieLens-100K is not reachable; the demo runs on a simulated shop instead" >&2
    data=out/simulated-shop
    [ -e "$data/manifest.json" ] || $podium data simulate --out "$data"
  fi
fi
$podium train --data "$data" --out out/demo --preset demo
echo
echo "With more intervals, charts and example slates: out/demo/report.html"
echo "Try: $podium recommend --bundle out/demo/bundle --user 196 --k 10 --explain"
