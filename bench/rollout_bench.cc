// Rollouts a second of the CPU engine with random weights: reasoning slates of ten candidates as
// reinforcement learning draws them, eight rollouts a prompt, and fast answers as a server gives
// them.
//
//   rollout_bench [--slates 16] [--threads N] [--runs 5]
#include <fmt/format.h>

#include "bench/measure.h"
#include "bench/slate_world.h"

namespace podium::bench {
namespace {

struct Case {
  const char* name;
  runtime::DecodeOptions options;
};

void measure(const World& world, const char* size, const Case& c, int argc, char** argv) {
  const auto slates = size_t(argument(argc, argv, "slates", 16));
  const int threads = int(argument(argc, argv, "threads", default_threads()));
  const rerank::ModelSpec spec = rerank::model_spec(size, int(world.tokenizer.vocab()));
  const runtime::TestWeights weights(spec, 1);
  const runtime::Engine engine(spec, weights.weights());
  std::vector<rerank::Slate> batch;
  Rng rng(2);
  for (size_t i = 0; i < slates; ++i) batch.push_back(world.slate(rng, 10, 10));
  size_t tokens = 0, prompt = 0;
  for (const auto& slate : batch) {
    prompt += rerank::build_prompt(world.context(), slate).tokens.size();
  }
  std::vector<double> times;
  for (long run = 0; run < argument(argc, argv, "runs", 5); ++run) {
    tokens = 0;
    times.push_back(seconds([&] {
      for (const auto& r : engine.decode(world.context(), batch, c.options, threads)) {
        tokens += r.tokens.size();
      }
    }));
  }
  const double time = median(times), rollouts = double(slates) * c.options.samples;
  // Two operations a weight and token; attention, which is little here, not counted.
  const double operations = 2.0 * double(spec.parameters()) * double(prompt + tokens);
  fmt::print("  {:<6} {:<22} {:8.1f} rollouts/s {:9.0f} tokens/s {:8.1f} GFLOP/s, {:3.0f} %\n",
             size, c.name, rollouts / time, double(tokens) / time, operations / time / 1e9,
             100 * operations / time / machine_flops(threads));
}

int run(int argc, char** argv) {
  const World world;
  const Case cases[] = {
      {"trace, 8 a prompt", {.max_trace = 64, .temperature = 1, .samples = 8}},
      {"no trace, 1 a prompt", {.with_trace = false}},
  };
  fmt::print("rollouts of the CPU engine, {} threads; the share is of large products' speed\n",
             argument(argc, argv, "threads", default_threads()));
  for (const char* size : {"nano", "small"}) {
    for (const Case& c : cases) measure(world, size, c, argc, argv);
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::run(argc, argv); }
