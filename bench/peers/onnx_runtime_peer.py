"""ONNX Runtime's rows of `make bench-peers`: one buffer of keys and values a request, bound once
and written in place, so that a warm prefix costs nothing. See peer.h for workloads and rows.

  onnx_runtime_peer.py DIR FORMAT WORKLOAD.json...
"""
import json
import pathlib
import sys
import threading

import numpy as np
import onnxruntime as ort
from measure import measure_latency, measure_rate, print_row

MOST_LANES = 16  # requests that decode in one batch
HIDDEN = np.float32(-1e30)
NOTHING_HIDDEN = np.zeros(1 << 14, np.float32)


def hidden_of(request):
    """[prefix + rest, prefix + rest]"""
    total = len(request["prefix"]) + len(request["rest"])
    hidden = np.full((total, total), HIDDEN, np.float32)
    for row, runs in zip(hidden, request["sees"]):
        for begin, end in zip(runs[::2], runs[1::2]):
            row[begin:end] = 0
    return hidden


def added_of(request, embedding):
    """[prefix + rest, hidden_size]"""
    added = [np.zeros(embedding.shape[1], np.float32)] * len(request["prefix"])
    added += [embedding[tokens].sum(0) for tokens in request["added"]]
    return np.array(added)


class Replica:
    """A session and some of a workload's requests, which decode in batches of `lanes`."""

    def __init__(self, model, config, embedding, workload, requests, threads, lanes):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.workload, self.lanes, self.width = workload, lanes, embedding.shape[1]
        self.requests = [workload["requests"][i] for i in requests]
        self.decoded = workload["trace"] + workload["answer"] if workload["trace"] else 0
        longest = max(len(r["prefix"]) + len(r["rest"]) for r in self.requests)
        shape = (len(self.requests), config["num_key_value_heads"], longest + self.decoded,
                 config["head_dim"])
        self.cache = {f"{kind}{i}": np.zeros(shape, np.float32)
                      for i in range(config["num_hidden_layers"]) for kind in "kv"}
        self.kept = []  # what bindings point to
        self.prefixes, self.cold, self.warm = [], [], []
        for i, request in enumerate(self.requests):
            prefix, rest = request["prefix"], request["rest"]
            total = len(prefix) + len(rest)
            self.prefixes.append(self.bound(i, i + 1, [prefix], len(prefix)))
            self.cold.append(self.bound(i, i + 1, [prefix + rest], total))
            self.warm.append(self.bound(i, i + 1, [rest], total))
            blocks = request, hidden_of(request), added_of(request, embedding)
            self.bind_blocks(self.prefixes[-1], *blocks, 0, len(prefix))
            self.bind_blocks(self.warm[-1], *blocks, len(prefix), total)
            self.bind_blocks(self.cold[-1], *blocks, 0, total)
            self.run(self.prefixes[-1])
        if self.decoded:
            self.groups = {begin: self.decoder(begin) for begin in range(0, len(requests), lanes)}

    def bind(self, binding, name, values):
        self.kept.append(values)
        binding.bind_input(name, "cpu", 0, values.dtype, values.shape, values.ctypes.data)

    def bound(self, begin, end, ids, total):
        binding = self.session.io_binding()
        self.bind(binding, "ids", np.array(ids, np.int64))
        self.bind(binding, "last", np.full(end - begin, total - 1, np.int32))
        self.bind(binding, "total", np.array(total, np.int32))
        self.bind_cache(binding, begin, end)
        return binding

    def bind_cache(self, binding, begin, end):
        binding.bind_output("logits", "cpu")  # the first: run() reads it
        for name, values in self.cache.items():
            rows = values[begin:end]
            self.bind(binding, "past_" + name, rows)
            binding.bind_output(name, "cpu", 0, rows.dtype, rows.shape, rows.ctypes.data)

    def bind_blocks(self, binding, request, hidden, added, begin, end):
        positions = np.array([request["positions"][begin:end]], np.int64)
        self.bind(binding, "positions", positions)
        self.bind(binding, "hidden", np.ascontiguousarray(hidden[begin:end, :end])[None, None])
        self.bind(binding, "added", np.ascontiguousarray(added[begin:end])[None])

    def decoder(self, begin):
        """A binding of some requests' next tokens, and the arrays it reads them from."""
        end = min(begin + self.lanes, len(self.requests))
        ids, last = np.zeros((end - begin, 1), np.int64), np.zeros(end - begin, np.int32)
        total = np.array(0, np.int32)
        binding = self.session.io_binding()
        for name, values in (("ids", ids), ("last", last), ("total", total)):
            self.bind(binding, name, values)
        positions = np.zeros((end - begin, 1), np.int64)
        self.bind(binding, "positions", positions)
        self.bind(binding, "added", np.zeros((end - begin, 1, self.width), np.float32))
        self.bind_cache(binding, begin, end)
        return binding, ids, last, total, end, positions

    def run(self, binding):
        self.session.run_with_iobinding(binding)
        return binding.get_outputs()[0].numpy()

    def answer(self, i, warm):
        """Request i by itself, without a trace: the logits of the names."""
        return self.run((self.warm if warm else self.cold)[i])[0, self.workload["names"]]

    def answer_group(self, begin, warm):
        """Requests [begin, begin + lanes): read one by one, decoded in one batch."""
        binding, ids, last, total, end, positions = self.groups[begin]
        bindings = self.warm if warm else self.cold
        logits = np.concatenate([self.run(bindings[i]) for i in range(begin, end)])
        lengths = np.array([len(r["prefix"]) + len(r["rest"]) for r in self.requests[begin:end]])
        for step in range(self.decoded):
            ids[:, 0] = logits.argmax(1)
            last[:] = lengths + step
            total[...] = lengths.max() + step + 1
            positions[:, 0] = last
            binding.bind_input("hidden", "cpu", 0, np.float32, (1, 1, 1, int(total)),
                               NOTHING_HIDDEN.ctypes.data)
            logits = self.run(binding)

    def answer_all(self, warm):
        for i in range(0, len(self.requests), self.lanes):
            if self.decoded:
                self.answer_group(i, warm)
            else:
                self.answer(i, warm)


def in_parallel(replicas, warm):
    threads = [threading.Thread(target=r.answer_all, args=(warm,)) for r in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure(model, config, embedding, workload, row):
    n = len(workload["requests"])
    alone = 1
    if not workload["trace"]:
        replica = Replica(model, config, embedding, workload, range(n), 1, alone)
        most = max(np.abs(replica.answer(i, True) - expected).max()
                   for i, expected in enumerate(workload["logits"]))
        print_row({**row, "difference": float(most)})
    for threads in (1, 2):
        replica = Replica(model, config, embedding, workload, range(n), threads, alone)
        answer = replica.answer_group if workload["trace"] else replica.answer
        for warm in (True, False):
            measure_latency({**row, "state": "warm" if warm else "cold", "threads": threads}, n,
                            lambda i, warm=warm, answer=answer: answer(i, warm))
    for count in (1, 2):
        lanes = MOST_LANES if workload["trace"] else 1
        replicas = [Replica(model, config, embedding, workload, range(i, n, count), 2 // count,
                            lanes) for i in range(count)]
        for warm in (True, False):
            how = f"{count} of {2 // count} threads, batches of {lanes}"
            measure_rate({**row, "state": "warm" if warm else "cold", "threads": 2, "how": how}, n,
                         lambda warm=warm, replicas=replicas: in_parallel(replicas, warm))


if __name__ == "__main__":
    folder, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
    shape = json.loads((folder / "shape.json").read_text())
    embedding = np.load(folder / "embedding.npy", mmap_mode="r")
    for path in sys.argv[3:]:
        loaded = json.loads(pathlib.Path(path).read_text())
        measure(folder / f"{kind}.onnx", shape, embedding, loaded,
                {"workload": loaded["name"], "state": "", "peer": "ONNX Runtime", "format": kind,
                 "how": "", "threads": 1})
