#!/bin/sh
# The contract of podium's main: exit codes, the form of errors, interruption. $1: the binary.
set -eu
podium=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAILED: $1" >&2; exit 1; }

expect() { # exit code, then the command
  want=$1; shift
  code=0
  "$@" >"$dir/out" 2>"$dir/err" || code=$?
  [ "$code" = "$want" ] || { cat "$dir/err" >&2; fail "'$*' gave $code, not $want"; }
}

expect 0 "$podium" --version
grep -qE '^podium [0-9]+\.[0-9]+\.[0-9]+( \([0-9a-f]{7,}\))?$' "$dir/out" ||
  fail "--version names no version"
if git rev-parse HEAD >/dev/null 2>&1; then
  grep -q '(' "$dir/out" || fail "--version names no commit"
fi
expect 0 "$podium" --help
grep -q 'podium train --data' "$dir/out" || fail "--help shows no example"
for command in data models sid train report eval slates recommend rerank serve config; do
  expect 0 "$podium" $command --help
done
[ "$(grep -c 'from nothing to recommendations' "$dir/out")" = 0 ] || fail "help repeats itself"

expect 2 "$podium"
expect 2 "$podium" nonsense
expect 2 "$podium" report
expect 2 "$podium" config --format yaml

expect 0 "$podium" models get
grep -q '^minilm .*MiniLM' "$dir/out" || fail "no list of models"
expect 1 "$podium" models get no-such-model --out "$dir/none"
grep -q 'known: minilm' "$dir/err" || fail "no hint at the models"
expect 1 "$podium" report --run "$dir/nothing"
sed -n 1p "$dir/err" | grep -q '^podium: error: ' || fail "no error line"
sed -n 2p "$dir/err" | grep -q "^  where: $dir/nothing" || fail "no place"
sed -n 3p "$dir/err" | grep -q '^  try: ' || fail "no cure"
[ ! -s "$dir/out" ] || fail "an error on standard output"

expect 0 "$podium" --quiet data simulate --users 50 --items 80 --days 60 --out "$dir/shop"
grep -q '^shop: .* 80 items' "$dir/out" || fail "no summary of the simulated shop"
expect 0 "$podium" data describe "$dir/shop"
expect 1 "$podium" data simulate --users 0 --out "$dir/none"
[ ! -e "$dir/none" ] || fail "refused options left a dataset"

expect 1 "$podium" train --data "$dir/nothing" --out "$dir/run" --midtrain.batch_tokens=64 --rl.eval_every 3

printf '[sasrec]\nepoch = 3\n' >"$dir/wrong.toml"
expect 1 "$podium" train --data "$dir" --out "$dir/run" --config "$dir/wrong.toml"
grep -q "did you mean 'sasrec.epochs'" "$dir/err" || fail "no hint at the option"

# A signal in the midst of work. (A background job of a script ignores SIGINT; env undoes it.)
interrupted() { # the signal, then the command
  signal=$1; shift
  env --default-signal=$signal "$@" >"$dir/out" 2>"$dir/err" &
  child=$!
  sleep 1
  kill -$signal $child
  code=0
  wait $child || code=$?
  [ "$code" = 130 ] || { cat "$dir/err" >&2; fail "SIG$signal in '$*' gave $code, not 130"; }
}

interrupted INT "$podium" data simulate --users 10000000 --out "$dir/d"
[ ! -e "$dir/d" ] || fail "an interrupted simulation left a dataset"

# An import from standard input, then one that never ends: after a Ctrl-C, and after its terminal was
# closed, the first still lies there.
printf 'user,item,time\nu1,a,1600000000\nu1,b,1600000100\n' >"$dir/events.csv"
expect 0 sh -c "gzip -c '$dir/events.csv' | '$podium' data import - --format csv --out '$dir/piped'"
expect 0 "$podium" verify "$dir/piped"
cp -r "$dir/piped" "$dir/before"
mkfifo "$dir/endless"
for signal in INT HUP; do
  { cat "$dir/events.csv"; echo ,bad,; sleep 20; } >"$dir/endless" &
  writer=$!
  # A background job reads /dev/null unless it is told otherwise: the shell in between is told.
  interrupted $signal sh -c 'exec "$@" <"$0"' "$dir/endless" "$podium" data import - --format csv \
    --out "$dir/piped"
  kill $writer
  diff -r "$dir/before" "$dir/piped" || fail "an interrupted import changed the old dataset"
  ls -A "$dir" | grep -i 'piped' | grep -vx piped && fail "an interrupted import left files"
done

# Under nohup a closed terminal stops nothing.
(trap '' HUP; exec "$podium" --quiet data simulate --users 3000 --out "$dir/kept" >"$dir/out") &
child=$!
sleep 0.2
kill -HUP $child
wait $child || fail "SIGHUP ended what nohup started"
echo passed
