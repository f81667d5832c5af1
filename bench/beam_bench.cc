// Generative retrieval with random weights and random semantic IDs: latency of one request at a
// time on one core, requests a second with every core busy, and where the time goes. A prefix is
// cold when the user's history is read within the request, warm when it was read before.
//
//   beam_bench [--requests 50] [--threads N] [--history 50] [--beam 50]
#include <fmt/format.h>

#include <cstdio>

#include "bench/measure.h"
#include "bench/slate_world.h"

namespace podium::bench {
namespace {

struct Case {
  const char* size;
  bool warm;
};

void measure(const World& world, const sid::SidTrie& trie, const Case& c, int argc, char** argv) {
  const auto requests = size_t(argument(argc, argv, "requests", 50));
  const auto history = size_t(argument(argc, argv, "history", 50));
  const int threads = int(argument(argc, argv, "threads", default_threads()));
  const rerank::ModelSpec spec = rerank::model_spec(c.size, int(world.tokenizer.vocab()));
  const runtime::TestWeights weights(spec, 1);
  const runtime::Engine engine(
      spec, weights.weights(),
      {.precision = kernels::Precision::kInt8, .prefix_bytes = c.warm ? size_t{8} << 30 : 0});
  const runtime::RetrieveOptions options{.beam = int(argument(argc, argv, "beam", 50)),
                                         .max_history = int(history)};
  std::vector<rerank::Slate> users;
  std::vector<std::span<const rerank::ItemIndex>> histories;
  Rng rng(2);
  for (size_t i = 0; i < requests; ++i) users.push_back(world.slate(rng, history, 0));
  for (const rerank::Slate& user : users) histories.emplace_back(user.history);
  const auto context = world.context();
  const auto answer = [&](std::span<const std::span<const rerank::ItemIndex>> some, int n) {
    return engine.retrieve(context, trie, some, options, n);
  };
  answer(histories, threads);  // reads every history
  std::vector<double> times, rates;
  for (const auto& one : histories) {
    times.push_back(1e3 * seconds([&] { answer({&one, 1}, 1); }));
  }
  for (int run = 0; run < 3; ++run) {
    rates.push_back(double(requests) / seconds([&] { answer(histories, threads); }));
  }
  fmt::print("  {:<6} {:>8} items  {:<5} p50 {:7.2f} ms  p99 {:7.2f} ms  {:7.0f} requests/s\n",
             c.size, world.sids.items(), c.warm ? "warm" : "cold", percentile(times, 0.5),
             percentile(times, 0.99), median(rates));
}

int run(int argc, char** argv) {
  fmt::print("int8; latency on one core, throughput on {}; history of {}, beam of {}\n",
             argument(argc, argv, "threads", default_threads()),
             argument(argc, argv, "history", 50), argument(argc, argv, "beam", 50));
  for (const size_t items : {size_t{10000}, size_t{100000}, size_t{1000000}}) {
    const World world(items);
    std::optional<sid::SidTrie> trie;
    const double time = seconds([&] { trie.emplace(world.sids); });
    fmt::print("trie of {} items built in {:.0f} ms\n", items, 1e3 * time);
    for (const char* size : {"small", "base"}) {
      for (const bool warm : {false, true}) measure(world, *trie, {size, warm}, argc, argv);
    }
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::run(argc, argv); }
