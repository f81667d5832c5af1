"""Rows as peer.h prints them, for peers in Python."""
import json
import resource
import time

SECONDS = 1.5  # that a measurement takes at least
FEWEST, MOST = 6, 400
TRIES, QUIET = 2, 0.04  # measured again while other processes take more of the cores


def print_row(row):
    print(json.dumps(row), flush=True)


def busy_seconds():
    """(of all processes, of this one)."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, soft, steal = map(int, file.readline().split()[1:9])
    own = resource.getrusage(resource.RUSAGE_SELF)
    return (user + nice + system + irq + soft + steal) / 100, own.ru_utime + own.ru_stime


def least_disturbed(body):
    """The dictionary that body returns, of the try during which others took least."""
    best = None
    for _ in range(TRIES):
        start, (all_before, own_before) = time.perf_counter(), busy_seconds()
        row = body()
        all_after, own_after = busy_seconds()
        others = (all_after - all_before) - (own_after - own_before)
        row["others"] = round(max(0.0, others / (time.perf_counter() - start)), 3)
        if best is None or row["others"] < best["others"]:
            best = row
        if best["others"] < QUIET:
            break
    return best


def measure_latency(row, n, body):
    def measured():
        times = []
        body(0)
        start = time.perf_counter()
        while len(times) < MOST and (len(times) < FEWEST or time.perf_counter() < start + SECONDS):
            begin = time.perf_counter()
            body(len(times) % n)
            times.append(1e3 * (time.perf_counter() - begin))
        times.sort()
        return {"p50": times[len(times) // 2], "p99": times[int(0.99 * (len(times) - 1))],
                "samples": len(times)}
    print_row({**row, **least_disturbed(measured)})


def measure_rate(row, n, body):
    def measured():
        rounds, start = 0, time.perf_counter()
        while rounds == 0 or time.perf_counter() < start + SECONDS:
            body()
            rounds += 1
        return {"rate": n * rounds / (time.perf_counter() - start)}
    print_row({**row, **least_disturbed(measured)})
