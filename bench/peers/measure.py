"""Rows as peer.h prints them, for peers in Python."""
import json
import time

SECONDS = 1.5  # that a measurement takes at least
FEWEST, MOST = 6, 400


def print_row(row):
    print(json.dumps(row), flush=True)


def all_seconds():
    """The processor's, of all processes."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, soft, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + soft + steal) / 100


def print_measured(row, body):
    start, whole, own = time.perf_counter(), all_seconds(), time.process_time()
    measured = body()
    others = (all_seconds() - whole) - (time.process_time() - own)
    share = max(0.0, others / (time.perf_counter() - start))
    print_row({**row, **measured, "others": round(share, 3)})


def measure_latency(row, n, body):
    def measured():
        times, cpu = [], []
        body(0)
        start = time.perf_counter()
        while len(times) < MOST and (len(times) < FEWEST or time.perf_counter() < start + SECONDS):
            begin, own = time.perf_counter(), time.process_time()
            body(len(times) % n)
            times.append(1e3 * (time.perf_counter() - begin))
            cpu.append(1e3 * (time.process_time() - own))
        times.sort()
        return {"p50": times[len(times) // 2], "p99": times[int(0.99 * (len(times) - 1))],
                "cpu": sorted(cpu)[len(cpu) // 2], "samples": len(times)}
    print_measured(row, measured)


def measure_rate(row, n, body):
    def measured():
        rounds, start, own = 0, time.perf_counter(), time.process_time()
        while rounds == 0 or time.perf_counter() < start + SECONDS:
            body()
            rounds += 1
        return {"rate": n * rounds / (time.perf_counter() - start),
                "cpu": 1e3 * (time.process_time() - own) / (n * rounds)}
    print_measured(row, measured)
