#!/usr/bin/env bash
# Other people's clients, unmodified, against a server of a tiny bundle: one line each, and an end
# with an error when one of them is answered wrongly. The fuzzer of the API's description comes last.
# Needs build/bin/podium and build/podium/capi/podium_test_bundle. CASES=1500: the fuzzer's, about.
set -Eeuo pipefail
cd "$(dirname "$0")/.."
clients=$PWD/tools/clients
home=$PWD/build/clients
cases=${CASES:-1500}

work=$(mktemp -d)
server=
collector=
finish() {
  [ -z "$collector" ] || kill "$collector" 2>/dev/null || true
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# installed NAME FILE COMMAND...: runs COMMAND in a new folder of that name, unless it was made of
# the same FILE before.
installed() {
  local folder=$home/$1 file=$2
  shift 2
  if cmp -s "$folder/made-of" "$file"; then return; fi
  rm -rf "$folder"
  mkdir -p "$folder"
  "$@" "$folder" >"$home/install.log" 2>&1 || { cat "$home/install.log"; return 1; }
  cp "$file" "$folder/made-of"
}
python_packages() {
  python3 -m venv "$1"
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    --requirement "$clients/requirements.txt"
}
node_packages() {
  cp "$clients"/package*.json "$1"
  npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund
}

# Starts a server on any free port; its address is then in $url.
start() {
  local bundle
  bundle=$(build/podium/capi/podium_test_bundle "$work/bundle" 2>"$work/log")
  : >"$work/out"  # read before the server, in the background, has opened it
  build/bin/podium serve --bundle "$bundle" --state "$work/state" --port 0 --threads 2 --otlp "$traces" \
    >"$work/out" 2>"$work/log" &
  server=$!
  for _ in $(seq 200); do
    url=$(sed -n 's/^listening on //p' "$work/out")
    [ -z "$url" ] || return 0
    kill -0 "$server" 2>/dev/null || break
    sleep .05
  done
  cat "$work/log"
  return 1
}

# Everything that openapi.json describes, and much that it does not allow. (What it accepts must
# not always be accepted: an id may name nobody.)
fuzz() {
  local calls examples covering=43  # cases of a call that are made whatever --max-examples says
  calls=$(grep -cE '^      "(get|put|post|patch|delete)": \{' podium/serve/openapi.json)
  examples=$((cases / calls - covering))
  [ "$examples" -ge 1 ] || examples=1
  (cd "$work" && "$home/python/bin/st" run "$url/openapi.json" --phases examples,coverage,fuzzing \
    --exclude-checks positive_data_acceptance --max-examples "$examples" --seed 1 --no-color \
    --request-timeout 60) \
    >"$work/fuzz" 2>&1 || { cat "$work/fuzz"; return 1; }
  echo "schemathesis $("$home/python/bin/st" --version | grep -oE '[0-9.]+$'):" \
    "$(grep -oE '[0-9,]+ generated' "$work/fuzz" | tail -n 1) requests"
}

# A collector of traces; its address is then in $traces.
collect() {
  mkdir "$work/spans"
  python3 "$clients/otlp_collector.py" listen "$work/spans" >"$work/collector" &
  collector=$!
  until traces=$(grep http "$work/collector"); do
    kill -0 "$collector"
    sleep .05
  done
}

installed python "$clients/requirements.txt" python_packages
collect
start
for script in cohere_client langchain_client jina_http gorse_client; do
  (cd "$work" && "$home/python/bin/python" -W ignore "$clients/$script.py" "$url")
done
if command -v npm >/dev/null; then
  installed node "$clients/package-lock.json" node_packages
  node "$clients/gorse_client.mjs" "$url" "$home/node"
else
  echo "NOT RUN: gorsejs, which needs Node"
fi
fuzz
"$home/python/bin/python" "$clients/otlp_collector.py" check "$work/spans"
kill -0 "$server" || { echo "the server ended before its time"; cat "$work/log"; exit 1; }
