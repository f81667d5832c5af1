#!/usr/bin/env python3
"""Is there anything left to gain in the slates?  pip install numpy xgboost; bench/headroom.py RUN

Fits gradient-boosted trees (listwise and pairwise) to a run's training slates, on all that a policy
reads of a candidate (evidence levels, place, history length) and more (the upstream's exact score and
its gaps), and prints their NDCG@10 gain over the upstream's order on the test slates that hold the
target, with 95 % intervals. A re-ranker that reads the same facts should not be expected to gain more.
"""
import json
import pathlib
import sys

import numpy as np
import xgboost


def slates(run, phase):
    for line in (run / "stages/upstream/slates" / phase / "slates.jsonl").open():
        slate = json.loads(line)
        if any(c["label"] for c in slate["candidates"]):
            yield slate


def table(run, phase, kinds):
    rows, labels, sizes = [], [], []
    for slate in slates(run, phase):
        score = np.array([c["score"] for c in slate["candidates"]])
        gap = np.append(score[:-1] - score[1:], 0)
        for i, c in enumerate(slate["candidates"]):
            evidence = c.get("evidence", {})
            rows.append([evidence.get(k, 0) for k in kinds] +
                        [i, score[i], score[i] - score[0], gap[i], (score[i] - score.mean()) / (score.std() + 1e-6),
                         len(slate["history"])])
            labels.append(bool(c["label"]))
        sizes.append(len(score))
    return np.array(rows, np.float32), np.array(labels), np.array(sizes)


def ndcg(labels, scores, sizes):
    out, start = [], 0
    for n in sizes:
        order = np.argsort(-scores[start:start + n], kind="stable")
        out.append(1 / np.log2(2 + np.flatnonzero(labels[start:start + n][order])[0]))
        start += n
    return np.array(out)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    run = pathlib.Path(sys.argv[1])
    kinds = sorted({k for s in slates(run, "slates") for c in s["candidates"] for k in c.get("evidence", {})})
    x, y, q = table(run, "slates", kinds)
    tx, ty, tq = table(run, "test", kinds)
    base = ndcg(ty, -tx[:, len(kinds)], tq)
    print(f"{len(q)} training and {len(tq)} test slates; upstream NDCG@10 {base.mean():.4f}")
    for objective in "rank:ndcg", "rank:pairwise":
        for depth, rounds in (2, 50), (3, 100), (4, 200):
            data = xgboost.DMatrix(x, y)
            data.set_group(q)
            model = xgboost.train({"objective": objective, "max_depth": depth, "eta": 0.05, "min_child_weight": 10,
                                   "lambdarank_pair_method": "mean", "seed": 1}, data, rounds)
            gain = ndcg(ty, model.predict(xgboost.DMatrix(tx)), tq) - base
            half = 1.96 * gain.std() / np.sqrt(len(gain))
            print(f"{objective:14} depth {depth}, {rounds:3} trees: gain {gain.mean():+.4f} +- {half:.4f}")


if __name__ == "__main__":
    main()
