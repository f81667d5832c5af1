// What guessing ahead (podium/runtime/draft.h) gains with the policies of a finished run, int8, on
// its test slates: milliseconds a slate, one at a time and many at once, on one thread.
//
//   draft_bench RUN [--slates 100]   (a run directory of `podium train`, made with the default
//   prompt)
#include <fmt/format.h>

#include "bench/measure.h"
#include "podium/runtime/engine.h"
#include "podium/sid/codebook.h"

namespace podium::bench {
namespace {

struct Guessing {
  double alone, together;  // milliseconds a slate
  size_t guessed = 0, confirmed = 0, chosen = 0;
};

Guessing measure(const runtime::Engine& engine, const rerank::PromptContext& context,
                 const std::vector<rerank::Slate>& slates, const runtime::DecodeOptions& options) {
  Guessing result;
  std::vector<runtime::Rollout> rollouts;
  const double each = 1e3 / double(slates.size());
  result.together = each * seconds([&] { rollouts = engine.decode(context, slates, options, 1); });
  result.alone = each * seconds([&] {
                   for (const auto& slate : slates) engine.decode(context, {&slate, 1}, options, 1);
                 });
  for (const auto& rollout : rollouts) {
    result.guessed += size_t(rollout.guessed);
    result.confirmed += size_t(rollout.confirmed);
    result.chosen += rollout.tokens.size();
  }
  return result;
}

void compare(const fs::path& run, const char* policy, bool with_trace, size_t most) {
  const fs::path dir = run / "bundle" / policy;
  const auto tokenizer = text::Tokenizer::load(dir / "tokenizer.json");
  const auto sids = sid::load_sid(run / "bundle" / "sid");
  const rerank::Vocabulary vocabulary(tokenizer, sids.table.levels, sids.table.codes_per_level);
  const rerank::PromptContext context{tokenizer, vocabulary, sids.table, nullptr, {}};
  auto slates = rerank::read_slates(run / "stages" / "upstream" / "slates" / "test");
  slates.resize(std::min(slates.size(), most));
  const auto engine = runtime::Engine::open(
      dir, {.precision = kernels::Precision::kInt8, .prefix_bytes = size_t{1} << 30});
  fmt::print("{}, {} slates\n", policy, slates.size());
  for (const double temperature : {0.0, 1.0}) {
    for (const int draft : {0, 2, 4, 8, 16, 32}) {
      const runtime::DecodeOptions options{
          .with_trace = with_trace, .temperature = temperature, .draft = draft};
      measure(engine, context, slates, options);  // reads every history
      const Guessing g = measure(engine, context, slates, options);
      const double tokens = double(g.chosen) / double(slates.size());
      fmt::print(
          "  temperature {:.0f}  draft {:>2}  alone {:6.2f} ms  together {:6.2f} ms  {:5.1f} "
          "tokens "
          "a slate, {:5.1f} guessed, {:5.1f} right\n",
          temperature, draft, g.alone, g.together, tokens,
          double(g.guessed) / double(slates.size()), double(g.confirmed) / double(slates.size()));
    }
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
