// What guessing ahead (podium/runtime/draft.h) gains with the policies of a finished run, int8, on
// its test slates: milliseconds a slate, one at a time and many at once, on one thread.
//
//   draft_bench RUN [--slates 100]   (a run directory of `podium train`, made with the default
//   prompt)
#include <fmt/format.h>

#include "bench/measure.h"
#include "bench/run_policy.h"
#include "podium/runtime/engine.h"

namespace podium::bench {
namespace {

constexpr int kDrafts[] = {0, 2, 4, 8, 16};

struct Guessing {
  std::vector<double> alone;                      // milliseconds of every slate
  std::vector<double> together;                   // milliseconds a slate, of every run
  double guessed = 0, confirmed = 0, tokens = 0;  // a slate
};

// Every draft in turn on every slate, so that a disturbance meets all of them.
void measure(const runtime::Engine& engine, const rerank::PromptContext& context,
             const std::vector<rerank::Slate>& slates, runtime::DecodeOptions options) {
  std::vector<Guessing> results(std::size(kDrafts));
  const auto count = double(slates.size());
  const auto decode = [&](std::span<const rerank::Slate> some, size_t draft) {
    options.draft = kDrafts[draft];
    return engine.decode(context, some, options, 1);
  };
  decode(slates, 0);  // reads every history
  for (const rerank::Slate& slate : slates) {
    for (size_t draft = 0; draft < results.size(); ++draft) {
      results[draft].alone.push_back(1e3 * seconds([&] { decode({&slate, 1}, draft); }));
    }
  }
  for (int run = 0; run < 3; ++run) {
    for (size_t draft = 0; draft < results.size(); ++draft) {
      std::vector<runtime::Rollout> rollouts;
      const double time = seconds([&] { rollouts = decode(slates, draft); });
      results[draft].together.push_back(1e3 * time / count);
      if (run > 0) continue;
      for (const auto& rollout : rollouts) {
        results[draft].guessed += rollout.guessed / count;
        results[draft].confirmed += rollout.confirmed / count;
        results[draft].tokens += double(rollout.tokens.size()) / count;
      }
    }
  }
  for (size_t draft = 0; draft < results.size(); ++draft) {
    const Guessing& g = results[draft];
    fmt::print(
        "  temperature {:.0f}  draft {:>2}  alone {:6.2f} ms  together {:6.2f} ms  {:5.1f} tokens, "
        "{:5.1f} guessed, {:5.1f} right\n",
        options.temperature, kDrafts[draft], median(g.alone), median(g.together), g.tokens,
        g.guessed, g.confirmed);
  }
}

void compare(const fs::path& run, const char* policy, bool with_trace, size_t most) {
  const fs::path dir = run / "bundle" / policy;
  const RunPolicy from(dir, run / "bundle" / "sid");
  auto slates = test_slates(run);
  slates.resize(std::min(slates.size(), most));
  const auto engine = runtime::Engine::open(dir, {.precision = kernels::Precision::kInt8,
                                                  .prefix_bytes = size_t{1} << 30,
                                                  .item_bytes = size_t{1} << 30});
  fmt::print("{}, {} slates\n", policy, slates.size());
  for (const double temperature : {0.0, 1.0}) {
    measure(engine, from.context, slates, {.with_trace = with_trace, .temperature = temperature});
  }
}

int run(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "draft_bench RUN: give the directory of a finished run\n");
    return 2;
  }
  const auto slates = size_t(argument(argc, argv, "slates", 100));
  compare(argv[1], "policy-fast", false, slates);
  compare(argv[1], "policy", true, slates);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
