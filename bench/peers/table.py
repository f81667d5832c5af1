"""One table of the rows that the peers printed: each engine's best format and way to run, and how
many times podium's throughput is the peer's, by requests a second and by the processor's time a
request (which still holds where other processes disturbed the run).

  table.py ROWS.jsonl
"""
import collections
import json
import sys

HEADER = ["workload", "prefix", "engine", "p50 / p99, ms, 1 thread", "2 threads",
          "requests/s, 2 cores", "CPU, ms a request", "podium's requests/s", "by CPU"]


def least(rows, key, condition):
    return min((r for r in rows if key in r and condition(r)), key=lambda r: r[key], default=None)


def best_of(rows):
    """Of one engine on one workload."""
    return {
        1: least(rows, "p50", lambda r: r["threads"] == 1),
        2: least(rows, "p50", lambda r: r["threads"] == 2),
        "rate": max((r for r in rows if "rate" in r), key=lambda r: r["rate"], default=None),
        "cpu": least(rows, "cpu", lambda r: True),
    }


def latency(row):
    return f"{row['p50']:.1f} / {row['p99']:.1f} ({row['format']})" if row else "–"


def rate(row):
    how = row["format"] + (", " if row["how"] else "") + row["how"] if row else ""
    return f"{row['rate']:.1f} ({how})" if row else "–"


def line(workload, state, peer, best, ours):
    cells = [workload, state, peer, latency(best[1]), latency(best[2]), rate(best["rate"]),
             f"{best['cpu']['cpu']:.1f} ({best['cpu']['format']})", "", ""]
    if ours and peer != "podium":
        if ours["rate"] and best["rate"]:
            cells[-2] = f"{ours['rate']['rate'] / best['rate']['rate']:.1f} ×"
        cells[-1] = f"{best['cpu']['cpu'] / ours['cpu']['cpu']:.1f} ×"
    return "| " + " | ".join(cells) + " |"


def main(path):
    with open(path) as file:
        rows = [json.loads(text) for text in file if text.startswith("{")]
    print("Largest difference of a name's logit from podium's in fp32:")
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for r in rows:
        if "difference" in r:
            print(f"  {r['workload']}, {r['peer']} {r['format']}: {r['difference']:.1e}")
        else:
            groups[r["workload"], r["state"]][r["peer"]].append(r)
    for workload, state in list(groups):  # which the other engines' programs do not know
        if state == "new user":
            cold = groups[workload, "cold"].items()
            groups[workload, state].update(
                (p + ", cold", some) for p, some in cold if p != "podium")
    print("\n| " + " | ".join(HEADER) + " |\n" + "|---" * len(HEADER) + "|")
    for (workload, state), peers in sorted(groups.items()):
        ours = best_of(peers["podium"]) if "podium" in peers else None
        for peer, some in sorted(peers.items(), key=lambda p: p[0] != "podium"):
            print(line(workload, state, peer, best_of(some), ours))
    disturbed = sum(r.get("others", 0) > 0.1 for r in rows)
    print(f"\n{disturbed} of {len(rows)} rows were measured while other processes took more than a "
          "tenth of a core.")


if __name__ == "__main__":
    main(sys.argv[1])
