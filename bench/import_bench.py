#!/usr/bin/env python3
"""Times `podium data import` beside pandas and DuckDB on one file, on one core, in one run.

  python3 -m venv /tmp/peers && /tmp/peers/bin/pip install pandas duckdb
  /tmp/peers/bin/python bench/import_bench.py build/bin/podium [events, default 2000000]

Each peer does what an import does: reads user,item,rating,time, numbers the ids, sorts by user and
time, and writes the columns. Each runs three times as a process of its own; the best counts.
"""
import os
import random
import subprocess
import sys
import tempfile

PANDAS = """
import sys, pandas, numpy
d = pandas.read_csv(sys.argv[1])
d["user"], users = pandas.factorize(d["user"]); d["item"], items = pandas.factorize(d["item"])
d = d.sort_values(["user", "timestamp"], kind="stable").drop_duplicates(["user", "item", "timestamp"])
numpy.savez(sys.argv[2], **{c: d[c].to_numpy() for c in d})
"""
DUCKDB = """
import sys, duckdb
c = duckdb.connect(); c.execute("SET threads = 1")
c.execute(f"CREATE TABLE d AS SELECT * FROM read_csv('{sys.argv[1]}')")
for x in ("user", "item"):
    c.execute(f"CREATE TABLE {x}s AS SELECT \\"{x}\\" AS id, row_number() OVER () AS n FROM (SELECT DISTINCT \\"{x}\\" FROM d)")
c.execute(f"COPY (SELECT DISTINCT u.n AS u, i.n AS i, rating, timestamp FROM d JOIN users u ON d.user = u.id "
          f"JOIN items i ON d.item = i.id ORDER BY u, timestamp) TO '{sys.argv[2]}' (FORMAT parquet)")
"""


def write_events(path, events):
    draw = random.Random(1)
    with open(path, "w") as out:
        out.write("user,item,rating,timestamp\n")
        for n in range(events):
            item = int(50_000 * draw.random() ** 2)
            out.write(f"U{draw.randrange(events // 20):07d},B{item:08d},"
                      f"{draw.randrange(1, 6)}.0,{1_500_000_000 + n * 30 + draw.randrange(1000)}\n")


def best_of_three(command):
    best = float("inf")
    for _ in range(3):
        start = os.times()
        subprocess.run(["taskset", "-c", "0", *command], check=True, stdout=subprocess.DEVNULL)
        end = os.times()
        best = min(best, end.children_user + end.children_system
                   - start.children_user - start.children_system)
    return best


def main():
    podium, events = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2_000_000
    with tempfile.TemporaryDirectory() as folder:
        source = f"{folder}/events.csv"
        write_events(source, events)
        commands = {
            "podium": [podium, "data", "import", source, "--out", f"{folder}/d"],
            "pandas": [sys.executable, "-c", PANDAS, source, f"{folder}/p.npz"],
            "DuckDB": [sys.executable, "-c", DUCKDB, source, f"{folder}/d.parquet"],
        }
        print(f"{events} events, {os.path.getsize(source) / 1e6:.0f} MB; processor seconds, best of 3")
        podium_seconds = None
        for name, command in commands.items():
            seconds = best_of_three(command)
            podium_seconds = podium_seconds or seconds
            print(f"{name:<8} {seconds:6.2f} s  {events / seconds / 1e6:5.2f} M events/s  "
                  f"podium's time is {podium_seconds / seconds:.2f} of it", flush=True)


if __name__ == "__main__":
    main()
