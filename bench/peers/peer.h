// What the programs of `make bench-peers` share: the workloads that export_workloads writes, how
// long each measurement takes, and the rows that table.py collects from standard output.
//
// A workload is a folder's JSON file: {"name": "small K=10", "trace": 0, "answer": 1, "names": [N],
// "requests": [{"prefix": [tokens], "rest": [tokens]}], "logits": [[N] a request]}. The answer to a
// request is, after prefix and rest, the logits of `names` if trace is 0; else `trace` tokens
// decoded greedily and then `answer` more. "logits" are podium's in fp32, of the first requests.
// Cold: prefix and rest are read. Warm: the prefix was read before, and its keys and values kept.
#pragma once

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "podium/base/json.h"

namespace podium::bench {

struct Request {
  std::vector<int> prefix, rest;
};

struct Workload {
  std::string name;
  int trace = 0, answer = 1;
  std::vector<int> names;
  std::vector<Request> requests;
  std::vector<std::vector<float>> logits;

  int decoded() const { return trace > 0 ? trace + answer : 0; }
  size_t longest() const {  // tokens of a request and its answer
    size_t most = 0;
    for (const Request& r : requests) most = std::max(most, r.prefix.size() + r.rest.size());
    return most + size_t(decoded());
  }
};

inline Workload read_workload(const fs::path& path) {
  const Json json = read_json(path);
  Workload w{json["name"], json["trace"], json["answer"], json["names"], {}, json["logits"]};
  for (const Json& r : json["requests"]) w.requests.push_back({r["prefix"], r["rest"]});
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
constexpr int kTries = 2;
constexpr double kQuiet = 0.04;  // measured again while other processes take more of the cores

struct Busy {
  double all = 0, own = 0;  // seconds of all processes, of this one
};

inline Busy busy() {
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;
  double ticks[8];  // user nice system idle wait irq softirq steal
  for (double& t : ticks) file >> t;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + 1e-6 * double(t.tv_usec); };
  return {(ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / 100,
          seconds(used.ru_utime) + seconds(used.ru_stime)};
}

// Prints what body returns, of the try during which others took least of the cores.
inline void print_least_disturbed(const Run& run, const std::function<Json()>& body) {
  Json best;
  for (int i = 0; i < kTries && (best.is_null() || best["others"] > kQuiet); ++i) {
    const double start = now();
    const Busy before = busy();
    Json row = body();
    const Busy after = busy();
    const double others = (after.all - before.all) - (after.own - before.own);
    row["others"] = std::max(0.0, others / (now() - start));
    if (best.is_null() || row["others"] < best["others"]) best = row;
  }
  Json row = run.json();
  row.update(best);
  print_row(row);
}

// Times body(i), i = 0 .. n - 1 in turn, one at a time: p50 and p99 in milliseconds.
inline void measure_latency(const Run& run, size_t n, const std::function<void(size_t)>& body) {
  print_least_disturbed(run, [&] {
    std::vector<double> times;
    body(0);
    const double start = now();
    while (times.size() < kMost && (times.size() < kFewest || now() < start + kSeconds)) {
      const double begin = now();
      body(times.size() % n);
      times.push_back(1e3 * (now() - begin));
    }
    std::sort(times.begin(), times.end());
    return Json{{"p50", times[times.size() / 2]},
                {"p99", times[size_t(0.99 * double(times.size() - 1))]},
                {"samples", times.size()}};
  });
}

// Requests a second of body(), which answers n requests.
inline void measure_rate(const Run& run, size_t n, const std::function<void()>& body) {
  print_least_disturbed(run, [&] {
    size_t rounds = 0;
    const double start = now();
    do {
      body();
      ++rounds;
    } while (now() < start + kSeconds);
    return Json{{"rate", double(n * rounds) / (now() - start)}};
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
