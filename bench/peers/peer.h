// What the programs of `make bench-peers` share: the workloads that export_workloads writes, how
// long each measurement takes, and the rows that table.py collects from standard output.
//
// A workload is a folder's JSON file: {"name": "small K=10", "trace": 0, "answer": 1, "names": [N],
// "requests": [{"prefix": [tokens], "rest": [tokens], "positions": [of both], "sees": [[runs] of
// both], "added": [[tokens] of rest]}], "logits": [[N] a request], "causal": [[N] a request]}. The
// answer to a request is, after prefix and rest, the logits of `names` if trace is 0; else `trace`
// tokens decoded greedily and then `answer` more. Cold: prefix and rest are read. Warm: the prefix
// was read before, and its keys and values kept. New user, only podium: items' blocks were read
// before, for others.
//
// A prompt is read in blocks (rerank/prompt.h): a token stands at its position and sees the runs
// [begin, end, begin, end ...] of places only; the embeddings of added tokens are added to its
// own. "logits" are podium's in fp32, of the first requests; "causal" are those of the same tokens
// when each sees all before it and nothing is added, for an engine that can read them in no other
// way.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "podium/base/json.h"

namespace podium::bench {

struct PeerRequest {
  std::vector<int> prefix, rest, positions;
  std::vector<std::vector<int>> sees, added;
};

struct Workload {
  std::string name;
  int trace = 0, answer = 1;
  std::vector<int> names;
  std::vector<PeerRequest> requests;
  std::vector<std::vector<float>> logits, causal;

  int decoded() const { return trace > 0 ? trace + answer : 0; }
  size_t longest() const {  // tokens of a request and its answer
    size_t most = 0;
    for (const PeerRequest& r : requests) most = std::max(most, r.prefix.size() + r.rest.size());
    return most + size_t(decoded());
  }
};

inline Workload read_workload(const fs::path& path) {
  const Json json = read_json(path);
  Workload w{json["name"], json["trace"],  json["answer"], json["names"],
             {},           json["logits"], json["causal"]};
  for (const Json& r : json["requests"]) {
    w.requests.push_back({r["prefix"], r["rest"], r["positions"], r["sees"], r["added"]});
  }
  return w;
}

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// One row: which engine, how it was run, on how many threads.
struct Run {
  std::string workload, state, peer, format, how;
  int threads = 1;

  Json json() const {
    return {{"workload", workload}, {"state", state}, {"peer", peer},
            {"format", format},     {"how", how},     {"threads", threads}};
  }
};

inline void print_row(const Json& row) {
  fmt::print("{}\n", row.dump());
  std::fflush(stdout);
}

constexpr double kSeconds = 1.5;  // that a measurement takes at least
constexpr size_t kFewest = 6, kMost = 400;

// The processor's seconds of this process, and of all.
inline double own_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

inline double all_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;
  double ticks[8];  // user nice system idle wait irq softirq steal
  for (double& t : ticks) file >> t;
  return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / 100;
}

// Prints a row of what body measures, with what else it says: "others", the cores that other
// processes took meanwhile, which should be 0.
inline void print_measured(const Run& run, const std::function<Json()>& body) {
  const double start = now(), all = all_seconds(), own = own_seconds();
  Json row = run.json();
  row.update(body());
  const double others = (all_seconds() - all) - (own_seconds() - own);
  row["others"] = std::max(0.0, others / (now() - start));
  print_row(row);
}

// Times body(i), i = 0 .. n - 1 in turn, one at a time: p50 and p99 in milliseconds, and "cpu", the
// processor's milliseconds a request, which other processes disturb least.
inline void measure_latency(const Run& run, size_t n, const std::function<void(size_t)>& body) {
  print_measured(run, [&] {
    std::vector<double> times, cpu;
    body(0);
    const double start = now();
    while (times.size() < kMost && (times.size() < kFewest || now() < start + kSeconds)) {
      const double begin = now(), own = own_seconds();
      body(times.size() % n);
      times.push_back(1e3 * (now() - begin));
      cpu.push_back(1e3 * (own_seconds() - own));
    }
    std::sort(times.begin(), times.end());
    std::sort(cpu.begin(), cpu.end());
    return Json{{"p50", times[times.size() / 2]},
                {"p99", times[size_t(0.99 * double(times.size() - 1))]},
                {"cpu", cpu[cpu.size() / 2]},
                {"samples", times.size()}};
  });
}

// Requests a second of body(), which answers n requests, and "cpu" of each.
inline void measure_rate(const Run& run, size_t n, const std::function<void()>& body) {
  print_measured(run, [&] {
    size_t rounds = 0;
    const double start = now(), own = own_seconds();
    do {
      body();
      ++rounds;
    } while (now() < start + kSeconds);
    const auto requests = double(n * rounds);
    return Json{{"rate", requests / (now() - start)},
                {"cpu", 1e3 * (own_seconds() - own) / requests}};
  });
}

// The largest difference of logits from podium's in fp32.
inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(double(a[i]) - b[i]));
  return most;
}

inline void print_difference(Run run, double difference) {
  Json row = run.json();
  row["difference"] = difference;
  print_row(row);
}

}  // namespace podium::bench
