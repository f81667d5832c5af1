#!/usr/bin/env bash
# Puts nginx and haproxy, as packaging/ has them, in front of a podium and asks through them by HTTP/2.
#
#   tools/proxy_test.sh PODIUM BUNDLE USER
#
# A proxy that is not installed is named, and passed over. Ends only what it started.
set -euo pipefail
podium=$(realpath "$1") bundle=$(realpath "$2") user=$3
cd "$(dirname "$0")/../packaging"
PATH=$PATH:/usr/sbin  # where Debian has them
for tool in curl openssl; do
  command -v $tool >/dev/null || { echo "NOT RUN: $tool is not installed"; exit 0; }
done
dir=$(mktemp -d)
started=()
trap '[ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT

fail() {
  echo "FAILED: $1" >&2
  tail -n 5 "$dir"/*.log >&2
  exit 1
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# until_true WHAT COMMAND...: within 20 s.
until_true() {
  local what=$1 tries
  shift
  for ((tries = 0; tries < 200; ++tries)); do
    "$@" >/dev/null 2>&1 && return 0
    sleep .1
  done
  fail "$what"
}

# asked PATH [curl's options]: the answer's body in $dir/body; prints HTTP version and status.
asked() {
  local path=$1
  shift
  curl -s --http2 --max-time 20 --cacert "$dir/podium.crt" --resolve "podium.example.com:$port:127.0.0.1" \
    -H "Authorization: Bearer $key" -o "$dir/body" -D "$dir/headers" -w '%{http_version} %{http_code}' "$@" "https://podium.example.com:$port$path"
}

# expect WANTED PATH [curl's options]
expect() {
  local wanted=$1 got
  shift
  got=$(asked "$@") || fail "$proxy: $1: no answer"
  [ "$got" = "$wanted" ] || fail "$proxy: $1: $got instead of $wanted: $(head -c 300 "$dir/body")"
}

# Through the proxy that listens at $port.
ask_all() {
  expect "2 200" /readyz
  expect "2 200" /v1/recommend -d "{\"user\": \"$user\", \"k\": 2}" -H 'X-Request-ID: from.me-1'
  grep -q '"items":\[{' "$dir/body" || fail "$proxy: no items: $(cat "$dir/body")"
  grep -qi '^x-request-id: from.me-1' "$dir/headers" || fail "$proxy: the request id is lost"
  expect "2 200" /readyz -H 'X-Request-ID: not plain!'
  grep -qi '^x-request-id: [0-9a-f-]\{16,\}' "$dir/headers" || fail "$proxy: no request id of its own"
  expect "2 200" /v1/events -d "{\"events\": [{\"user\": \"$proxy\", \"item\": \"50\"}]}"
  expect "2 200" "/v1/users/$proxy"
  grep -q '"events":\[{"item":"50"' "$dir/body" || fail "$proxy: the event is not there"
  expect "2 403" /metrics
  expect "2 403" /v1/bundles
  expect "2 403" /v1/rules
  # By its announced length, before it is sent.
  expect "1.1 413" /v1/events --http1.1 -H 'Expect: 100-continue' --data-binary "@$dir/large"
  # A burst above the rate: some are told to come back, and podium sees none of those.
  curl -s --http2 --cacert "$dir/podium.crt" --resolve "podium.example.com:$port:127.0.0.1" -o /dev/null \
    -w '%{http_code}\n' "https://podium.example.com:$port/healthz?[1-250]" | sort | uniq -c >"$dir/burst"
  grep -q ' 429$' "$dir/burst" || fail "$proxy: 250 requests at once, none refused: $(cat "$dir/burst")"
  echo "$proxy: passed"
}

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=podium.example.com \
  -addext subjectAltName=DNS:podium.example.com -keyout "$dir/podium.key" -out "$dir/podium.crt" 2>"$dir/openssl"
cat "$dir/podium.crt" "$dir/podium.key" >"$dir/podium.pem"
head -c 9000000 /dev/zero >"$dir/large"

key=$("$podium" keys --file "$dir/keys.json" add proxy --scope admin 2>/dev/null)
"$podium" serve --bundle "$bundle" --state "$dir/state" --keys "$dir/keys.json" --port 0 >"$dir/podium.out" 2>"$dir/podium.log" &
started+=($!)
until_true "podium does not listen" grep -q listening "$dir/podium.out"
upstream=$(sed -n 's/^listening on http:\/\/127.0.0.1:\([0-9]*\)$/\1/p' "$dir/podium.out")

proxy=nginx
if command -v nginx >/dev/null; then
  port=$(free_port)
  sed -e "s/127\.0\.0\.1:8080/127.0.0.1:$upstream/" -e "s/listen 443/listen 127.0.0.1:$port/" -e '/listen \[::\]/d' \
    -e "s#/etc/ssl/private#$dir#; s#/etc/ssl#$dir#; s#/var/log/nginx/podium.log#$dir/nginx-access.log#" \
    nginx.conf >"$dir/nginx-podium.conf"
  cat >"$dir/nginx.conf" <<EOF
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events {}
http {
  client_body_temp_path $dir/nginx-body;
  proxy_temp_path $dir/nginx-proxy;
  fastcgi_temp_path $dir/nginx-fastcgi;
  uwsgi_temp_path $dir/nginx-uwsgi;
  scgi_temp_path $dir/nginx-scgi;
  include $dir/nginx-podium.conf;
}
EOF
  nginx -p "$dir" -e "$dir/nginx.log" -c "$dir/nginx.conf" &
  started+=($!)
  until_true "nginx does not answer" asked /readyz -f
  ask_all
else
  echo "NOT RUN: nginx is not installed"
fi

proxy=haproxy
if command -v haproxy >/dev/null; then
  port=$(free_port)
  sed -e "s/127\.0\.0\.1:8080/127.0.0.1:$upstream/" -e "s/bind :443/bind 127.0.0.1:$port/" \
    -e "s#/etc/ssl/private#$dir#" haproxy.cfg >"$dir/haproxy.cfg"
  haproxy -c -q -f "$dir/haproxy.cfg" || fail "haproxy refuses its configuration"
  haproxy -db -f "$dir/haproxy.cfg" >"$dir/haproxy.log" 2>&1 &
  started+=($!)
  until_true "haproxy does not answer" asked /readyz -f
  sleep 2  # until then the requests above count
  ask_all
else
  echo "NOT RUN: haproxy is not installed"
fi
