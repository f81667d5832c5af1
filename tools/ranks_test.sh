#!/bin/bash
# Several processes train the policy to the very files of one: mid-training, SFT, RL. A signal to
# one of them stops all with a checkpoint, a kill -9 ends the other with an error, and the same
# command goes on.
#
#   tools/ranks_test.sh BIN_DIR
#
# BIN_DIR holds podium and podium-train. Loopback only. WORK: the scratch directory.
set -euo pipefail

if [ $# -lt 1 ]; then
  sed -n '2,8p' "$0" | sed 's/^# \{0,1\}//'
  exit 2
fi
bin=$(realpath "$1")
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
cd "$work"
export MASTER_ADDR=127.0.0.1 GLOO_SOCKET_IFNAME=lo

fail() {
  echo "FAILED: $*; see $work" >&2
  exit 1
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start RANKS NAME ARGUMENTS...: podium-train to NAME, rank R to NAME.R.log; their ids in pids.
start() {
  local ranks=$1 name=$2 rank
  shift 2
  MASTER_PORT=$(free_port)
  export MASTER_PORT
  pids=()
  for (( rank = 0; rank < ranks; ++rank )); do
    RANK=$rank WORLD_SIZE=$ranks "$bin/podium-train" "$@" --data shop --sid run/stages/sid \
      --threads 1 --out "$name" > "$name.$rank.log" 2>&1 &
    pids+=($!)
  done
}

# How the processes of start() ended: codes.
finish() {
  local pid
  codes=()
  for pid in "${pids[@]}"; do
    if wait "$pid" 2> /dev/null; then codes+=(0); else codes+=($?); fi
  done
}

train() {
  start "$@"
  finish
  [[ " ${codes[*]} " != *" "[1-9]* ]] || fail "$2 ended with ${codes[*]}"
}

# Waits until the run NAME has written ROWS rows of its log.
reaches() {
  local i rows
  for (( i = 0; i < 2000; ++i )); do
    rows=$(grep -c step "$1.work/metrics.jsonl" 2> /dev/null) || true
    [ "${rows:-0}" -lt "$2" ] || return 0
    sleep 0.02
  done
  fail "$1 makes no progress"
}

same() {
  local file
  for file in model.safetensors stats.json metrics.jsonl; do
    cmp -s "$1/$file" "$2/$file" || fail "$1/$file and $2/$file differ"
  done
  echo "equal: $1 and $2"
}

"$bin/podium" --quiet data simulate --out shop --users 60 --items 80 --days 90 > shop.log
"$bin/podium" --quiet train --data shop --out run --until traces --split.slate-targets 3 \
  --sasrec.epochs 0 --upstream.ranker.rounds 10 --midtrain.steps 1 > run.log 2>&1

midtrain=(midtrain --tokenizer run/stages/tokenizer/tokenizer.json --midtrain.steps 10
          --midtrain.batch-tokens 1024)
slates=(--slates run/stages/upstream/slates/slates --valid-slates run/stages/upstream/slates/valid)
sft=(sft --policy mid.1 "${slates[@]}" --traces run/stages/traces --sft.epochs 1 --sft.dropout 0.1)
rl=(rl --policy sft.1 --teacher sft.1 "${slates[@]}" --rl.prompts 4 --rl.rollouts 4 --rl.steps 3
    --max-trace 16)

train 1 mid.1 "${midtrain[@]}"
train 3 mid.3 "${midtrain[@]}"
same mid.1 mid.3
train 1 sft.1 "${sft[@]}"
train 2 sft.2 "${sft[@]}"
same sft.1 sft.2
train 1 rl.1 "${rl[@]}"
train 3 rl.3 "${rl[@]}"
same rl.1 rl.3

# A signal to one stops both, with a checkpoint.
start 2 mid.2 "${midtrain[@]}"
reaches mid.2 2
kill -TERM "${pids[1]}"
finish
[ "${codes[*]}" = "130 130" ] || fail "the stopped processes ended with ${codes[*]}"
grep -q interrupted mid.2.0.log || fail "rank 0 does not say that it was interrupted"

start 2 mid.2 "${midtrain[@]}"
reaches mid.2 "$(( $(grep -c step mid.2.work/metrics.jsonl) + 2 ))"
kill -9 "${pids[1]}"
finish
[ "${codes[*]}" = "1 137" ] || fail "after a kill -9 the processes ended with ${codes[*]}"
grep -q 'another of the 2 processes has gone' mid.2.0.log || fail "rank 0 does not say why it ended"
grep -q 'resuming from' mid.2.0.log || fail "rank 0 did not go on from the checkpoint"

train 2 mid.2 "${midtrain[@]}"
same mid.1 mid.2
[ -n "${WORK:-}" ] || rm -rf "$work"
