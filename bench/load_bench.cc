// Latency against concurrency: so many clients, each of which sends its next request when the last
// is answered (closed loop), to a scheduler with a thread a core, in one process. Random weights,
// small policy, int8, ten candidates, the users' histories read before.
//
//   load_bench [--requests 200] [--threads N] [--history 50] [--lanes 8] [--pass 128]
#include <fmt/format.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "bench/measure.h"
#include "bench/slate_world.h"
#include "podium/runtime/engine.h"
#include "podium/runtime/scheduler.h"

namespace podium::bench {
namespace {

using runtime::Clock;

struct Case {
  const char* name;
  runtime::DecodeOptions options;
  size_t requests_share;  // one in so many of --requests
};

// So many clients in a closed loop, which send `requests` between them.
class Load {
 public:
  Load(runtime::Scheduler& scheduler, const std::vector<rerank::Slate>& slates,
       const runtime::DecodeOptions& options)
      : scheduler_(scheduler), slates_(slates), options_(options) {}

  // The latency of every request, in milliseconds.
  std::vector<double> run(size_t clients, size_t requests) {
    requests_ = requests;
    sent_ = 0;
    times_.clear();
    for (size_t i = 0; i < clients; ++i) send();
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return times_.size() == requests_; });
    return times_;
  }

 private:
  void send() {
    size_t i = 0;
    {
      const std::lock_guard lock(mutex_);
      if (sent_ == requests_) return;
      i = sent_++;
    }
    scheduler_.submit({slates_[i % slates_.size()], options_,
                       [this, start = Clock::now()](const auto&, const auto&) {
                         const std::chrono::duration<double, std::milli> took =
                             Clock::now() - start;
                         send();
                         const std::lock_guard lock(mutex_);
                         times_.push_back(took.count());
                         if (times_.size() == requests_) answered_.notify_one();
                       }});
  }

  runtime::Scheduler& scheduler_;
  const std::vector<rerank::Slate>& slates_;
  runtime::DecodeOptions options_;
  std::mutex mutex_;
  std::condition_variable answered_;
  size_t requests_ = 0, sent_ = 0;
  std::vector<double> times_;
};

int run(int argc, char** argv) {
  const World world;
  const auto requests = size_t(argument(argc, argv, "requests", 200));
  const int threads = int(argument(argc, argv, "threads", default_threads()));
  const rerank::ModelSpec spec = rerank::model_spec("small", int(world.tokenizer.vocab()));
  const runtime::TestWeights weights(spec, 1);
  const runtime::Engine engine(spec, weights.weights(),
                               {.precision = kernels::Precision::kInt8,
                                .prefix_bytes = size_t{8} << 30,
                                .item_bytes = size_t{1} << 30});
  const rerank::PromptContext context = world.context();
  const runtime::Policy policy(engine.parts(), context);
  std::vector<rerank::Slate> slates;
  Rng rng(2);
  for (size_t i = 0; i < 64; ++i) {
    slates.push_back(world.slate(rng, size_t(argument(argc, argv, "history", 50)), 10));
  }
  const Case cases[] = {{"verbalised", {.with_trace = false, .verbalize = true}, 1},
                        {"name by name", {.with_trace = false}, 1},
                        {"64-token trace", {.max_trace = 64, .temperature = 1}, 4}};
  for (const Case& c : cases) {
    runtime::Scheduler scheduler(
        policy, {.threads = threads,
                 .batch = {.lanes = size_t(argument(argc, argv, "lanes", 8)),
                           .pass_tokens = size_t(argument(argc, argv, "pass", 128))}});
    Load load(scheduler, slates, c.options);
    load.run(8, slates.size());  // reads every history
    fmt::print("{}, {} threads\n", c.name, threads);
    for (size_t clients = 1; clients <= 64; clients *= 2) {
      std::vector<double> times;
      const size_t count = std::max(requests / c.requests_share, 2 * clients);
      const double time = seconds([&] { times = load.run(clients, count); });
      fmt::print("  {:>2} clients  p50 {:7.1f} ms  p99 {:7.1f} ms  {:6.1f} requests/s\n", clients,
                 percentile(times, 0.5), percentile(times, 0.99), double(count) / time);
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::run(argc, argv); }
