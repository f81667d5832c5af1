#!/usr/bin/env bash
# Runs what docs/operations.md says, in a folder instead of /, and looks whether it is so.
#
#   tools/operations_test.sh PODIUM BUNDLE USER
#
# systemctl is a function that does with the environment file what packaging/podium.service does.
set -euo pipefail
podium=$(realpath "$1") bundle=$(realpath "$2") user=$3
cd "$(dirname "$0")/.."
for tool in curl sqlite3; do
  command -v $tool >/dev/null || { echo "NOT RUN: $tool is not installed"; exit 0; }
done
root=$(mktemp -d)
server=
manager=
trap '[ -z "$manager" ] || kill "$manager" 2>/dev/null || true; [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true; rm -rf "$root"' EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

fail() {
  echo "FAILED: $1" >&2
  tail -n 20 "$root/journal" >&2
  exit 1
}
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
set -E

# A text of the page or the unit, with this folder's paths, port and user.
here() {
  sed -E -e "s#/(etc/podium|var/lib/podium|var/backups/podium|srv/podium|root/)#$root/\1#g" \
    -e "s/8080/$port/g; s/(\"|users\/)196/\1$user/g; s/-o podium -g podium //"
}

# Training is a copy here: what it makes is tested elsewhere, what becomes of it is tested here.
train() {
  local out=
  while [ $# -gt 0 ]; do
    [ "$1" != --out ] || out=$2
    shift
  done
  mkdir -p "$out.data" "$out"
  cp -a "$root/srv/podium/bundle" "$out/bundle"
}

systemctl() {
  local verb=$1
  case "$*" in
    *podium-train.timer) return 0 ;;
    *podium-train)
      retrain
      return 0
      ;;
    reload*)
      kill -HUP "$server"
      return 0
      ;;
  esac
  if [ "$verb" != start ] && [ "$verb" != enable ] && [ -n "$server" ]; then
    kill -TERM "$server"
    wait "$server" || fail "the server ended with $?"
    server=
  fi
  [ "$verb" != stop ] || return 0
  local PODIUM_BUNDLE PODIUM_OPTIONS
  PODIUM_BUNDLE=$(sed -n 's/^PODIUM_BUNDLE=//p' "$root/etc/podium/podium.env")
  PODIUM_OPTIONS=$(sed -n 's/^PODIUM_OPTIONS=//p' "$root/etc/podium/podium.env")
  local start
  start=$(sed -n 's/^ExecStart=\/usr\/bin\///p' packaging/podium.service | sed 's#%S#/var/lib#' | here)
  eval "exec_start=($start)"
  NOTIFY_SOCKET=$root/notify "${exec_start[@]}" >>"$root/journal" 2>&1 &
  server=$!
}

# As packaging/podium-train.service does.
retrain() {
  (
    set -a
    # shellcheck disable=SC1091
    source "$root/podium-train.env"
    CREDENTIALS_DIRECTORY=$root/credentials
    PATH=$root/training:$PATH
    packaging/podium-retrain
  ) >>"$root/journal" 2>&1
}

# The page's N-th section by its heading.
run() {
  echo "== $1"
  python3 - "$1" docs/operations.md <<'EOF' | here >"$root/commands"
import re, sys
section = re.search(rf"^## {sys.argv[1]}\n(.*?)(?=^## |\Z)", open(sys.argv[2]).read(), re.M | re.S)[1]
blocks = re.findall(r"^<!-- run -->\n```sh\n(.*?)^```$", section, re.M | re.S)
assert blocks, "nothing to run"
print("".join(blocks))
EOF
  # shellcheck disable=SC1091
  source "$root/commands" >"$root/output"
}

told() { curl -fs -H "@$root/root/$1.header" "localhost:$port$2" "${@:3}"; }
event() { told shop /v1/events -d "{\"events\": [{\"user\": \"$user\", \"item\": \"$1\"}]}" >/dev/null; }
# events [TEXT]: the user's since training, without their times
events() { told "$1" "/v1/users/$user" | python3 -c 'import json, sys; print([e["item"] for e in json.load(sys.stdin)["events"]])'; }

mkdir -p "$root"/{bin,training,credentials,root,etc/podium,srv/podium,var/lib/podium,var/lib/podium-train}
ln -s "$podium" "$root/bin/podium"
cat >"$root/training/podium" <<EOF
#!/usr/bin/env bash
set -e
root=$root
$(declare -f train)
if [ "\$1" = train ]; then train "\$@"; else exec "$podium" "\$@"; fi
EOF
chmod +x "$root/training/podium"
here <packaging/podium-train.env >"$root/podium-train.env"
ln -s "$root/etc/podium/operator.header" "$root/credentials/header"
PATH=$root/bin:$PATH
touch "$root/journal"
cp -a "$bundle" "$root/srv/podium/bundle"
cp -a "$bundle" "$root/srv/podium/bundle-2"
here <packaging/podium.env >"$root/etc/podium/podium.env"

# What a unit of Type=notify is waited for by.
python3 - "$root/notify" "$root/notified" <<'EOF' &
import socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
with open(sys.argv[2], "w", buffering=1) as notified:
    while True:
        notified.write(manager.recv(100).decode() + "\n")
EOF
manager=$!
until [ -e "$root/notified" ]; do sleep .05; done

run Install
grep -qx READY=1 "$root/notified" || fail "systemd was not told that the server listens"
grep -q '"items":\[{' "$root/output" || fail "no recommendation"
[ "$(curl -s -o /dev/null -w '%{http_code}' "localhost:$port/v1/status")" = 401 ] || fail "no key is needed"
event first
event second
before=$(events shop)
[ "$before" = "['first', 'second']" ] || fail "the events are $before"

run Backup
event after-the-backup
kill -9 "$server"
wait "$server" 2>/dev/null || true
server=
systemctl start podium
until curl -fs "localhost:$port/readyz" >/dev/null; do sleep .1; done
[ "$(events shop)" = "['first', 'second', 'after-the-backup']" ] || fail "a kill lost what was acknowledged"

run Restore
[ "$(events shop)" = "$before" ] || fail "after the restore the events are $(events shop)"

run "A new bundle"
[ "$(grep -o '"active":"[^"]*"' "$root/output" | tail -1)" = "\"active\":\"$root/srv/podium/bundle\"" ] || fail "not rolled back"

run "Every night"
active=$(grep -o '"active":"[^"]*"' "$root/output" | tail -1)
[[ $active == "\"active\":\"$root/var/lib/podium-train/run-"*"/bundle\"" ]] || fail "not activated: $active"
for _ in 1 2 3 4; do
  sleep 1.1 # a run's name is its second
  systemctl start podium-train
done
runs=("$root"/var/lib/podium-train/run-*.data)
[ ${#runs[@]} = 3 ] || fail "${#runs[@]} runs are kept"
rm -r "${runs[0]%.data}/bundle"
systemctl start podium-train
[ -e "${runs[0]%.data}/bundle/manifest.json" ] || fail "a run that was stopped does not go on"

run Keys
[ "$(events shop-2)" = "$before" ] || fail "the new key reads something else"

run Upgrade
grep -qx 4 "$root/output" || fail "the log's version is not 4, as the page says: $(cat "$root/output")"
grep -q '"version": 10' "$root/output" || fail "the bundle's format is not 10, as the page says: $(cat "$root/output")"

echo "== what the dashboard and the alerts read is what the server tells"
told shop-2 /v1/recommend -d "{\"user\": \"$user\", \"k\": 5}" >/dev/null
told prometheus /metrics >"$root/metrics"
for name in $(grep -ohE '\b(podium|process)_[a-z_]+' packaging/grafana.json packaging/alerts.yml | sed 's/_\(bucket\|count\)$//' | sort -u); do
  [ "$name" = podium_degraded_total ] || grep -q "^# TYPE $name " "$root/metrics" || fail "the server has no metric $name"
done
systemctl stop podium
grep -q 'ending' "$root/journal" || fail "SIGTERM did not end it in order"
[ "$(tail -n 1 "$root/notified")" = STOPPING=1 ] || fail "systemd was not told that the server ends"
echo passed
