#!/usr/bin/env python3
"""Runs the commands of README.md and docs/serving.md as they stand there, and the calls of the
latter's table, in a folder of their own.

usage: tools/pages_test.py PODIUM MOVIELENS_100K

Only this differs from what a reader gets: `make` is not run (the demo is trained here, of fewer
users, each part in a few steps), `podium train` takes few steps, servers listen on a free port of loopback, and a file
of reviews is made up.
"""
import gzip
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHORT = ("--preset demo --sasrec.epochs 1 --sasrec.refit-epochs 1 --midtrain.steps 2 --sft.epochs 1 "
         "--sft.eval-slates 50 --rl.steps 1 --rl.eval-slates 20 --rl-fast.steps 1 --rl-fast.eval-slates 20 "
         "--eval.unconstrained 10 --eval.shuffled 10 --eval.timed 2")
# What a reader's shell does with the commands of a page; $PORT, $PODIUM and $SHORT are set.
SHELL = r"""
set -euo pipefail
served() {   # servers end with the page
  local out; out=$(mktemp)
  "$PODIUM" serve "${@/0.0.0.0/127.0.0.1}" --port "$PORT" >"$out" 2>>serve.log &
  echo $! >>servers
  for _ in $(seq 600); do grep -q '^listening on' "$out" && return 0; kill -0 $! || break; sleep .1; done
  cat "$out" serve.log >&2; return 1
}
podium() {
  case $1 in
  serve) [ ! -s servers ] || { kill "$(tail -n 1 servers)"; while kill -0 "$(tail -n 1 servers)" 2>/dev/null; do sleep .1; done; }
         served "${@:2}" ;;
  train) "$PODIUM" "$@" $SHORT ;;
  *) "$PODIUM" "$@" ;;
  esac
}
build/bin/podium() { podium "$@"; }
curl() { command curl -fsS "${@/localhost:8080/localhost:$PORT}"; echo; }
"""


def blocks(page):
    """The page's commands: fenced blocks of sh, and indented ones."""
    text = page.read_text()
    for block in re.finditer(r"^```sh\n(.*?)^```$|((?:^    \S[^\n]*\n)+)", text, re.M | re.S):
        commands = block[1] or re.sub("^    ", "", block[2], flags=re.M)
        yield "".join(l for l in commands.splitlines(True) if not l.startswith("make "))


def run(home, commands, environment):
    """Runs them in one shell; their output."""
    print(commands, end="", flush=True)
    done = subprocess.run(["bash", "-c", SHELL + commands], cwd=home, env=environment, text=True,
                          stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\nFAILED with {done.returncode}: the commands above")
    return done.stdout


def ask(port, method, path, body=None):
    request = urllib.request.Request(f"http://localhost:{port}{path}", method=method,
                                     data=body.encode() if body else None)
    with urllib.request.urlopen(request) as answer:
        body = answer.read()
        return (gzip.decompress(body) if answer.headers["Content-Encoding"] else body).decode()


def make_reviews(home):
    """reviews.json.gz and meta.json.gz, in Amazon's form, and slates of them."""
    draw = random.Random(1)
    kinds = "shampoo soap cream lotion brush comb gel oil mask serum".split()
    items = [f"B{i:04}" for i in range(60)]
    with gzip.open(home / "meta.json.gz", "wt") as out:
        for i, item in enumerate(items):
            print(json.dumps({"asin": item, "title": f"{kinds[i % 10]} {i}", "brand": f"b{i % 7}",
                              "categories": [["Beauty", kinds[i % 10]]], "price": 5 + i % 9}), file=out)
    with gzip.open(home / "reviews.json.gz", "wt") as out:
        for u in range(120):
            near = [item for i, item in enumerate(items) if i % 10 in (u % 10, (u + 1) % 10)]
            for t, item in enumerate(draw.sample(near, 10)):
                print(json.dumps({"reviewerID": f"A{u}" if u else "A1B2", "asin": item, "overall": 5,
                                  "unixReviewTime": 1400000000 + 86400 * (u % 50 + 7 * t)}), file=out)
    (home / "slates.jsonl").write_text('{"id": "1", "user": "A1B2", "candidates": ["B0001", "B0002"]}\n')


def import_movielens(home, folder, environment):
    """The first 250 users of MovieLens-100K, with 196 among them."""
    events = (folder / "ml-100k.inter").read_text().splitlines(True)
    users = {event.split("\t")[0]: None for event in events[1:]}
    kept = set(list(users)[:250])
    (home / "ml.inter").write_text(
        events[0] + "".join(e for e in events[1:] if e.split("\t")[0] in kept))
    run(home, f"podium data import ml.inter --items {folder}/ml-100k.item --out out/ml-100k\n",
        environment)


def items_of(answer):
    return [item["id"] for item in json.loads(answer)["items"]]


def check_readme(home, environment):
    serve, own = [b for b in blocks(ROOT / "README.md") if b.strip()]
    answers = [l for l in run(home, serve, environment).splitlines() if l.startswith("{")]
    before, acknowledged, after = answers
    assert json.loads(acknowledged)["events"] == 1, acknowledged
    assert items_of(before) != items_of(after), "the event did not change the list"
    assert "780" not in items_of(after), after
    page = ask(environment["PORT"], "GET", "/console/")
    assert "<title>" in page, page[:200]
    run(home, own, environment)


def check_serving(home, environment):
    page, port = ROOT / "docs/serving.md", environment["PORT"]
    first, *rest = blocks(page)
    (home / "out/ml").symlink_to(home / "out/demo")
    run(home, first, environment)
    calls = r"^\|[^|]*?`(POST|PATCH|GET) (/[^`. ]*)`(?: `(\{[^`]*\})`)?"
    for method, path, body in re.findall(calls, page.read_text(), re.M):
        if method != "GET" and not body:
            continue
        print(method, path, body)
        ask(port, method, path.format(id="174"), body)
    stream, keys, next_bundle = rest
    told = run(home, stream, environment)
    assert "event: trace" in told and "event: slate" in told, told
    run(home, keys, environment)
    try:
        sys.exit(f"FAILED: no key is needed: {ask(port, 'GET', '/v1/status')}")
    except urllib.error.HTTPError as refused:
        assert refused.code == 401, refused
    run(home, first, environment)
    run(home, next_bundle, environment)
    assert "out/ml2/bundle" in json.loads(ask(port, "GET", "/v1/bundles"))["active"]


def main():
    podium, movielens = (pathlib.Path(p).resolve() for p in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        home = pathlib.Path(folder)
        port = str(free.getsockname()[1])
        free.close()
        environment = dict(os.environ, PODIUM=str(podium), PORT=port, SHORT=SHORT)
        (home / "build/bin").mkdir(parents=True)
        make_reviews(home)
        try:
            import_movielens(home, movielens, environment)
            run(home, "podium train --data out/ml-100k --out out/demo\n", environment)
            check_readme(home, environment)
            check_serving(home, environment)
        finally:
            servers = home / "servers"
            for pid in servers.read_text().split() if servers.exists() else []:
                try:
                    os.kill(int(pid), signal.SIGTERM)
                except ProcessLookupError:
                    pass
            time.sleep(1)
    print("passed")


main()
