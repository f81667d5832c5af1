"""One table of the rows that the peers printed: each engine's best format and way to run, and how many
times podium's throughput is the peer's.

  table.py ROWS.jsonl
"""
import collections
import json
import sys


def best_of(rows):
    """Of one engine on one workload: its fastest latency on each thread count, and its best rate."""
    latency = {}
    for threads in (1, 2):
        timed = [r for r in rows if "p50" in r and r["threads"] == threads]
        latency[threads] = min(timed, key=lambda r: r["p50"], default=None)
    rate = max((r for r in rows if "rate" in r), key=lambda r: r["rate"], default=None)
    return latency, rate


def milliseconds(row):
    return f"{row['p50']:.1f} / {row['p99']:.1f} ({row['format']})" if row else "–"


def main(path):
    with open(path) as file:
        rows = [json.loads(line) for line in file if line.startswith("{")]
    print("Largest difference of a name's logit from podium's in fp32:")
    for r in rows:
        if "difference" in r:
            print(f"  {r['workload']}, {r['peer']} {r['format']}: {r['difference']:.1e}")
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for r in rows:
        if "difference" not in r:
            groups[r["workload"], r["state"]][r["peer"]].append(r)
    print("\n| workload | prefix | engine | p50 / p99, ms, 1 thread | 2 threads | requests/s, 2 cores "
          "| podium's is |")
    print("|---|---|---|---|---|---|---|")
    for (workload, state), peers in sorted(groups.items()):
        ours = best_of(peers["podium"])[1] if "podium" in peers else None
        for peer, peer_rows in sorted(peers.items(), key=lambda p: p[0] != "podium"):
            latency, rate = best_of(peer_rows)
            way = f"{rate['rate']:.1f} ({rate['format']}{', ' if rate['how'] else ''}{rate['how']})"
            times = f"{ours['rate'] / rate['rate']:.1f} ×" if ours and peer != "podium" else ""
            print(f"| {workload} | {state} | {peer} | {milliseconds(latency[1])} "
                  f"| {milliseconds(latency[2])} | {way} | {times} |")
    disturbed = [r for r in rows if r.get("others", 0) > 0.1]
    print(f"\n{len(disturbed)} of {len(rows)} rows were measured while other processes took more than "
          "a tenth of a core.")


if __name__ == "__main__":
    main(sys.argv[1])
