#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/cli/commands.h"
#include "podium/pipeline/front.h"
#include "podium/pipeline/pipeline.h"

namespace podium::cli {
namespace {

constexpr const char* kFrontFooter =
    R"(Coverage is the share of the slate's categories in the first ranks, distance the mean of
1 - cosine over their pairs. Neither tells orders apart with as many ranks as candidates.
Of a simulated shop's slates (podium data simulate --tiring) the users' expected clicks on the first
ranks are told too, and how many a policy gains over the best of the other orders.
Example:
  podium slates front --run out/run --data out/ml --at 5)";

struct FrontArguments {
  std::string run, data, split = "test";
  int at = 0, threads = 0;
  bool json = false;

  template <class V>
  void visit(V& v) {
    v("split", split, "the slates", one_of({"valid", "test"}));
    v("at", at, "ranks that count; 0: 10, and half of the run's k where that is not above 10",
      between(0, double(rerank::kMaxCandidates)));
    v("threads", threads, "threads; 0: every core", between(0, kMostThreads));
  }
};

size_t ranks_of(const FrontArguments& a) {
  if (a.at > 0) return size_t(a.at);
  const int k = pipeline::options_of_run(a.run).k;
  return k > 10 ? 10 : size_t(std::max(1, k / 2));
}

void print_front(FrontArguments& a) {
  OptionList(a).check();
  const auto dataset = data::Dataset::open(a.data);
  const eval::Front front = pipeline::diversity_front(
      dataset, {.run = a.run,
                .split = a.split,
                .at = ranks_of(a),
                .threads = a.threads > 0 ? a.threads : default_threads()});
  const std::string text = a.json ? eval::to_json(front).dump(2) + "\n" : eval::front_table(front);
  std::fputs(text.c_str(), stdout);
}

}  // namespace

void add_front_command(CLI::App& slates) {
  auto a = std::make_shared<FrontArguments>();
  CLI::App* command = slates.add_subcommand(
      "front", "accuracy against variety: upstream's order, MMR, DPP and the run's policies");
  command->add_option("--run", a->run, "run directory")->required();
  command->add_option("--data", a->data, "the run's dataset")->required();
  OptionList(*a).add_flags(*command);
  command->add_flag("--json", a->json, "print JSON");
  command->footer(kFrontFooter);
  command->callback([a] { print_front(*a); });
}

}  // namespace podium::cli
