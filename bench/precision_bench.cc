// What smaller weights and the verbaliser cost in quality: in-slate N@10 of a finished run's
// policies on its slates of the test phase that hold a positive, beside fp32 and name by name, and
// milliseconds a slate on one thread.
//
//   precision_bench RUN   (a run directory of `podium train`, made with the default prompt)
#include <fmt/format.h>

#include "bench/measure.h"
#include "bench/run_policy.h"
#include "podium/rerank/reward.h"
#include "podium/runtime/engine.h"

namespace podium::bench {
namespace {

using kernels::Precision;

double mean_ndcg(const std::vector<rerank::Slate>& slates,
                 const std::vector<runtime::Rollout>& rollouts) {
  double sum = 0;
  for (size_t i = 0; i < slates.size(); ++i) {
    std::vector<uint8_t> gains;
    for (const auto& candidate : slates[i].candidates) gains.push_back(candidate.gain);
    sum += rerank::ndcg(gains, rollouts[i].order, 10);
  }
  return sum / double(slates.size());
}

void compare(const fs::path& run, const char* policy, bool with_trace) {
  const fs::path dir = run / "bundle" / policy;
  const RunPolicy from(dir, run / "bundle" / "sid");
  auto slates = test_slates(run);
  std::erase_if(slates, [](const rerank::Slate& s) { return s.positives() == 0; });
  double base = 0;
  std::vector<runtime::Rollout> expected;
  fmt::print("{}, {} slates\n", policy, slates.size());
  for (const Precision precision :
       {Precision::kFp32, Precision::kBf16, Precision::kInt8, Precision::kInt4}) {
    const auto engine = runtime::Engine::open(dir, {.precision = precision});
    for (const bool verbalize : {false, true}) {
      const runtime::DecodeOptions options{.with_trace = with_trace, .verbalize = verbalize};
      std::vector<runtime::Rollout> rollouts;
      const double time =
          seconds([&] { rollouts = engine.decode(from.context, slates, options, 1); });
      const double quality = mean_ndcg(slates, rollouts);
      if (expected.empty()) {
        expected = rollouts;
        base = quality;
      }
      size_t same = 0;
      for (size_t i = 0; i < slates.size(); ++i) same += rollouts[i].order == expected[i].order;
      fmt::print("  {:<5} {:<12} N@10 {:.4f}  {:+.2f} %  same order {:5.1f} %  {:6.2f} ms\n",
                 kernels::precision_name(precision), verbalize ? "verbalised" : "name by name",
                 quality, 100 * (quality / base - 1), 100.0 * double(same) / double(slates.size()),
                 1e3 * time / double(slates.size()));
    }
  }
}

int run(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "precision_bench RUN: give the directory of a finished run\n");
    return 2;
  }
  compare(argv[1], "policy-fast", false);
  compare(argv[1], "policy", true);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
