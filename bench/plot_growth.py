"""Latency against K, history, catalogue and concurrency, as one SVG (matplotlib).

    build-bench/bin/growth_bench > growth.csv
    build-bench/bin/load_bench > load.txt
    python3 bench/plot_growth.py growth.csv load.txt docs/growth.svg
"""
import csv
import re
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

matplotlib.rcParams.update({"svg.hashsalt": "podium", "svg.fonttype": "none", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})


def read_growth(path):
    """series -> [(x, p50, p99)]"""
    series = {}
    with open(path) as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            series.setdefault(row["series"], []).append((int(row["x"]), float(row["p50"]), float(row["p99"])))
    return series


def read_load(path):
    """case -> [(clients, p50, p99)]"""
    cases, name = {}, None
    with open(path) as file:
        for line in file:
            row = re.match(r"\s+(\d+) clients\s+p50\s+([\d.]+) ms\s+p99\s+([\d.]+) ms", line)
            if row:
                cases[name].append((int(row[1]), float(row[2]), float(row[3])))
            elif line.strip():
                name = line.split(",")[0]
                cases[name] = []
    return cases


def draw(axes, title, label, lines, log):
    axes.set_title(title)
    axes.set_xlabel(label)
    axes.set_ylabel("ms")
    for name, points in lines.items():
        x, p50, p99 = zip(*points)
        (line,) = axes.plot(x, p50, marker="o", markersize=3, label=name)
        axes.fill_between(x, p50, p99, alpha=0.15, color=line.get_color())
    if log:
        axes.set_xscale("log")
    if log == "both":
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    if len(lines) > 1:
        axes.legend()


def main(growth, load, out):
    series = read_growth(growth)
    figure, ((a, b), (c, d)) = plt.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    draw(a, "Slate", "candidates K", {"p50": series["candidates"]}, None)
    draw(b, "History", "events", {"p50": series["history"]}, None)
    catalogue = {name.split(": ")[1]: points for name, points in series.items() if name.startswith("catalogue")}
    draw(c, "Catalogue", "items", catalogue, "x")
    draw(d, "Concurrency, two cores", "clients", read_load(load), "both")
    figure.suptitle("p50 (line) and p99 (shade); small policy, int8, history read before")
    figure.savefig(out, metadata={"Date": None})


main(*sys.argv[1:])
