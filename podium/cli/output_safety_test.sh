#!/bin/sh
# No command touches what podium did not write; output that is lost is an error. $1: the binary.
set -eu
podium=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() { echo "FAILED: $1" >&2; cat err >&2; exit 1; }

refused() { # what must be named in the message, then the command
  want=$1; shift
  code=0
  "$podium" "$@" >out 2>err || code=$?
  [ "$code" = 1 ] || fail "'$*' gave $code, not 1"
  grep -q -- "$want" err || fail "'$*' does not say '$want'"
  grep -q '^  try: ' err || fail "'$*' tells no cure"
}

done_well() {
  "$podium" "$@" >out 2>err || fail "'$*' failed"
}

state() { find "$1" -printf '%p %y %s %T@ %l\n' | grep -v '^\./out \|^\./err \|^\. ' | sort; }

printf 'user,item,time\nu1,a,1\nu1,b,2\nu2,a,3\nu2,b,4\n' >events.csv
done_well --quiet data simulate --users 50 --items 80 --days 60 --out data
done_well --quiet sid fit --data data --out sids

# A folder of the user's, in all the shapes in which it may be named.
mkdir -p w/bundle w/stages w/work/sid link.d
cp events.csv w/
echo mine | tee w/notes.txt w/bundle/notes.txt w/stages/notes.txt w/work/sid/notes.txt >file
ln -s w link
ln -s nowhere dangling
for out in w w/ w/. link link/ link/. dangling file "$dir/w" ./w .; do
  before=$(state .)
  refused 'exists and is no dataset\|symbolic link' data import events.csv --out "$out"
  refused 'exists and is no dataset\|symbolic link' data simulate --users 50 --items 40 --out "$out"
  refused 'exists and is no dataset\|symbolic link' data get ml-100k --from . --out "$out"
  refused 'exists and is no sid\|symbolic link' sid fit --data data --out "$out"
  [ "$before" = "$(state .)" ] || fail "$out was changed"
done

before=$(state w)
refused 'w/stages exists' train --data data --out w
refused 'exists and is no dataset' data import w/events.csv --out w/sub/..
refused 'link/stages exists' train --data data --out link
[ "$before" = "$(state w)" ] || fail "train changed the user's folder"
mkdir r && echo mine >r/report.html
refused 'r/report.html exists' train --data data --out r
refused 'is no directory' train --data data --out file
refused 'data/manifest.json exists\|lies in the output' train --data data --out data
[ "$(cat r/report.html)" = mine ] || fail "report.html was replaced"

# An input at or below the output; a thing of another kind; notes in a directory of podium's.
refused 'exists and is no dataset' data import events.csv --out events.csv
refused 'lies in the output\|is no sid' sid fit --data data --out data
refused 'exists and is no sid' sid fit --data data --out data/
refused 'exists and is no dataset' data import events.csv --out sids
cp events.csv data/
refused 'data/events.csv lies in\|holds .events.csv' data import data/events.csv --out data
refused "holds 'events.csv'" data simulate --users 50 --items 40 --out data
rm data/events.csv

# An output below an input that podium wrote.
before=$(state data)
refused 'lies in the input' sid fit --data data --out data/sids
refused 'lies in the input' train --data data --out data/deep/run
refused 'lies in the input' train --data data/ --out ./data/run
refused 'lies in the' data describe data --html data/events.safetensors
[ "$before" = "$(state data)" ] || fail "the dataset was changed"

# A page takes the place of its like only; a data set's, of nothing that was put into it.
cp events.csv mine.csv
refused 'is no page of podium' data describe data --html mine.csv
done_well data describe data --html page.html
done_well data describe data --html page.html
cp -r sids data/sids
refused "holds 'sids'" data import events.csv --out data
rm -r data/sids

# Leftovers have names of ours: these are the user's.
mkdir -p d.partial d.old d.download .d.podium-abcdef
for name in d.partial/x d.old/x d.download/x .d.podium-abcdef/x d.rejected.jsonl; do
  echo mine >$name
done
done_well data import events.csv --out d/
done_well data import events.csv --out d
for name in d.partial/x d.old/x d.download/x .d.podium-abcdef/x d.rejected.jsonl; do
  [ "$(cat $name)" = mine ] || fail "$name was touched"
done
printf 'user,item,time\nu1,a,1\nu1,,2\nu1,b,2\n' >bad.csv
done_well data import bad.csv --out d/
[ -s d/rejected.jsonl ] || fail "no rejected.jsonl with a slash at the end"
grep -q '^d: ' out || fail "a slash at the end loses the name"
mkdir empty && done_well data import events.csv --out empty
[ -z "$(find . -name '.*.podium-??????' ! -name .d.podium-abcdef)" ] || fail "leftovers"

# verify
done_well verify d
grep -q 'dataset, version' out || fail "verify does not say what it is"
printf x | dd of=d/events.safetensors bs=1 seek=200 conv=notrunc 2>/dev/null
code=0; "$podium" verify d >out 2>err || code=$?
[ "$code" = 3 ] && grep -q "events.safetensors" err || fail "verify does not see a changed byte"
refused 'nothing of podium' verify w

# Output that is lost.
for words in 'config' 'data describe data --json' 'data describe data' 'verify data' '--help'; do
  code=0; "$podium" $words >/dev/full 2>err || code=$?
  [ "$code" = 1 ] || fail "'$words' to a full disk gave $code"
  grep -q 'cannot write to standard output' err || fail "'$words' to a full disk says nothing"
done
code=0; "$podium" config >&- 2>err || code=$?
[ "$code" = 1 ] || fail "a closed standard output gave $code"
code=0; (trap '' PIPE; sleep 0.2; "$podium" config 2>err; echo $? >code) | true
[ "$(cat code)" != 0 ] && [ ! -s err ] || fail "a reader that left"
code=0; "$podium" data describe data --html /dev/full >out 2>err || code=$?
[ "$code" = 1 ] && grep -q 'cannot' err || fail "a page on a full disk"
done_well data describe data --html /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"
echo passed
