// How latency grows with the slate (K), the history and the catalogue, and what a replica and a
// user take of memory: small policy, int8, random weights, one request at a time on one core, the
// user's history read before. Prints CSV for plot_growth.py; concurrency is load_bench's.
//
//   growth_bench [--requests 25]
#include <fmt/format.h>

#include <cstdio>

#include "bench/measure.h"
#include "bench/slate_world.h"
#include "podium/runtime/kv_cache.h"

namespace podium::bench {
namespace {

rerank::ModelSpec spec_for(const World& world) {
  rerank::ModelSpec spec = rerank::model_spec("small", int(world.tokenizer.vocab()));
  spec.max_positions = 8192;  // room for a history of 1,000
  return spec;
}

runtime::Engine engine_of(const runtime::TestWeights& weights, const rerank::ModelSpec& spec) {
  return runtime::Engine(spec, weights.weights(),
                         {.precision = kernels::Precision::kInt8,
                          .prefix_bytes = size_t{8} << 30,
                          .item_bytes = size_t{1} << 30});
}

void report(const char* series, size_t x, const std::vector<double>& times) {
  fmt::print("{},{},{:.3f},{:.3f}\n", series, x, percentile(times, 0.5), percentile(times, 0.99));
  std::fflush(stdout);
}

// Milliseconds of each of `count` calls, after a first that reads the history.
std::vector<double> times_of(size_t count, const std::function<void(size_t)>& call) {
  std::vector<double> times;
  for (size_t i = 0; i < count; ++i) {
    call(i);
    times.push_back(1e3 * seconds([&] { call(i); }));
  }
  return times;
}

void slates(const World& world, size_t requests) {
  const rerank::ModelSpec spec = spec_for(world);
  const runtime::TestWeights weights(spec, 1);
  const rerank::PromptContext context = world.context();
  const auto grow = [&](const char* series, size_t x, size_t history, size_t candidates) {
    const runtime::Engine engine = engine_of(weights, spec);
    Rng rng(2);
    std::vector<rerank::Slate> some;
    for (size_t i = 0; i < requests; ++i) some.push_back(world.slate(rng, history, candidates));
    report(series, x, times_of(requests, [&](size_t i) {
             engine.decode(context, {&some[i], 1}, {.with_trace = false, .verbalize = true}, 1);
           }));
  };
  for (const size_t k : {10, 20, 30, 50, 70, 100}) grow("candidates", k, 50, k);
  for (const size_t n : {10, 20, 50, 100, 200, 500, 1000}) grow("history", n, n, 10);
}

void catalogue(size_t items, size_t requests) {
  const World world(items);
  const sid::SidTrie trie(world.sids);
  const rerank::ModelSpec spec = spec_for(world);
  const runtime::TestWeights weights(spec, 1);
  const runtime::Engine engine = engine_of(weights, spec);
  const rerank::PromptContext context = world.context();
  Rng rng(2);
  std::vector<rerank::Slate> users;
  for (size_t i = 0; i < requests; ++i) users.push_back(world.slate(rng, 50, 10));
  report("catalogue: slate of 10", items, times_of(requests, [&](size_t i) {
           engine.decode(context, {&users[i], 1}, {.with_trace = false, .verbalize = true}, 1);
         }));
  report("catalogue: beam of 50", items, times_of(requests, [&](size_t i) {
           const std::span<const rerank::ItemIndex> history(users[i].history);
           engine.retrieve(context, trie, {&history, 1}, {.beam = 50, .max_history = 50}, 1);
         }));
}

void memory(const World& world) {
  for (const char* size : {"small", "base"}) {
    const rerank::ModelSpec spec = rerank::model_spec(size, int(world.tokenizer.vocab()));
    const double page = double(runtime::PagePool(spec, /*bf16=*/true).page_bytes());
    const double token = page / double(runtime::kPageTokens);
    Rng rng(2);
    const auto prompt = rerank::build_prompt(world.context(), world.slate(rng, 50, 10));
    fmt::print("# {}: {:.1f} KiB a token, {:.2f} MiB a user with 50 events, {:.1f} KiB an item\n",
               size, token / 1024, double(prompt.history()) * token / (1 << 20),
               double(prompt.item(0).size()) * token / 1024);
  }
}

int run(int argc, char** argv) {
  const auto requests = size_t(argument(argc, argv, "requests", 25));
  fmt::print("series,x,p50,p99\n");
  const World world(10000);
  slates(world, requests);
  for (const size_t items : {size_t{10000}, size_t{100000}, size_t{1000000}}) {
    catalogue(items, requests);
  }
  memory(world);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::run(argc, argv); }
