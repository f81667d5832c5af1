// Re-ranking without a trace, with random weights: latency of one request at a time on one core,
// and requests a second with every core busy. Warm: the user's history and the items' blocks were
// read before; cold: they are read within the request.
//
//   slate_bench [--requests 50] [--threads N] [--history 50]
#include <fmt/format.h>

#include <cstdio>

#include "bench/measure.h"
#include "bench/slate_world.h"

namespace podium::bench {
namespace {

using kernels::Precision;

struct Case {
  const char* size;
  Precision precision;
  size_t candidates;
  bool warm, verbalize;
  bool words = false;  // prompts with the items' text vectors and the ranker's numbers
};

void measure(const World& world, const Case& c, int argc, char** argv) {
  const auto requests = size_t(argument(argc, argv, "requests", 50));
  const auto history = size_t(argument(argc, argv, "history", 50));
  const int threads = int(argument(argc, argv, "threads", default_threads()));
  rerank::ModelSpec spec = rerank::model_spec(c.size, int(world.tokenizer.vocab()));
  if (c.words) {
    spec.text_width = kTextWidth, spec.numbers = kNumbers, spec.choice = spec.hidden / 2;
  }
  const runtime::TestWeights weights(spec, 1);
  const size_t kept = c.warm ? size_t{8} << 30 : 0;
  const runtime::Engine engine(
      spec, weights.weights(),
      {.precision = c.precision, .prefix_bytes = kept, .item_bytes = kept});
  const runtime::DecodeOptions options{.with_trace = false, .verbalize = c.verbalize};
  std::vector<rerank::Slate> slates;
  Rng rng(2);
  for (size_t i = 0; i < requests; ++i) {
    slates.push_back(world.slate(rng, history, c.candidates));
    for (auto& candidate : slates.back().candidates) {
      for (int f = 0; c.words && f < kNumbers; ++f) {
        candidate.numbers.push_back(float(rng.normal()));
      }
    }
  }
  const std::vector<float> texts = c.words ? world.random_texts() : std::vector<float>();
  const auto context = c.words ? world.context_with(texts) : world.context();
  const auto answer = [&](std::span<const rerank::Slate> some, int n) {
    return engine.decode(context, some, options, n);
  };
  answer(slates, threads);  // reads every history
  std::vector<double> times;
  for (const rerank::Slate& slate : slates) {
    times.push_back(1e3 * seconds([&] { answer({&slate, 1}, 1); }));
  }
  std::vector<double> rates;
  for (int run = 0; run < 3; ++run) {
    rates.push_back(double(requests) / seconds([&] { answer(slates, threads); }));
  }
  fmt::print(
      "  {:<6} {:<5} K={:<3} {:<5} {:<10} {:<5} p50 {:7.2f} ms  p99 {:7.2f} ms  {:7.0f} "
      "requests/s\n",
      c.size, kernels::precision_name(c.precision), c.candidates, c.warm ? "warm" : "cold",
      c.verbalize ? "verbalizer" : "sequential", c.words ? "words" : "", percentile(times, 0.5),
      percentile(times, 0.99), median(rates));
}

int run(int argc, char** argv) {
  const World world;
  fmt::print("latency on one core, throughput on {}; history of {}\n",
             argument(argc, argv, "threads", default_threads()),
             argument(argc, argv, "history", 50));
  for (const char* size : {"small", "base"}) {
    for (const size_t candidates : {size_t{10}, size_t{50}}) {
      for (const bool warm : {false, true}) {
        measure(world, {size, Precision::kInt8, candidates, warm, true}, argc, argv);
        measure(world, {size, Precision::kInt8, candidates, warm, true, true}, argc, argv);
      }
    }
    measure(world, {size, Precision::kInt8, 10, true, false}, argc, argv);
    measure(world, {size, Precision::kFp32, 10, true, true}, argc, argv);
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::run(argc, argv); }
