#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/cli/commands.h"
#include "podium/data/split_options.h"
#include "podium/eval/metrics.h"
#include "podium/eval/text_table.h"
#include "podium/pipeline/retrieval_eval.h"

namespace podium::cli {
namespace {

constexpr const char* kRetrieveFooter =
    R"(Full ranking, items that the user has left out. A list is full when it has ten items; each is an
item of the catalogue, since the search follows the trie of semantic IDs. --against takes files of
--out, or of a run's stages (RUN/stages/upstream/valid.json), of the same targets; differences are
paired over users.
Example:
  podium-train midtrain --phase valid --data out/ml --sid out/run/stages/sid \
    --tokenizer out/run/stages/tokenizer/tokenizer.json --out out/mid
  podium retrieve --data out/ml --sid out/run/stages/sid --policy out/mid --out out/valid.json)";

struct RetrieveArguments {
  std::string data, policy, sid, out;
  std::vector<std::string> against;
  std::string phase = "valid", codes_over = "trie";
  runtime::RetrieveOptions search;
  int threads = 0;
  data::SplitOptions split;
  eval::MetricOptions metrics;

  template <class V>
  void visit(V& v) {
    v("phase", phase, "the targets", one_of({"slates", "valid", "test"}));
    v("beam", search.beam, "semantic IDs kept a level", between(10, 10000));
    v("history", search.max_history, "newest events that the policy reads", between(1, 1000));
    v("codes_over", codes_over, "as the policy's midtrain.codes_over",
      one_of({"trie", "vocabulary"}));
    v("threads", threads, "threads; 0: every core", between(0, kMostThreads));
    v.section("split", split);
    metrics.visit(v);
  }
};

constexpr eval::Metric kShown[] = {eval::kR5, eval::kN5, eval::kR10, eval::kN10};

std::string interval(const eval::Estimate& estimate) {
  return fmt::format("{:.4f} [{:.4f}, {:.4f}]", estimate.value, estimate.low, estimate.high);
}

// show: of an estimate.
std::vector<std::string> row(std::string name, const eval::MetricRow& metrics,
                             std::string (*show)(const eval::Estimate&)) {
  std::vector<std::string> cells = {std::move(name)};
  for (const eval::Metric metric : kShown) cells.push_back(show(metrics[metric]));
  return cells;
}

// The stages of other files.
std::vector<eval::StageResult> others_of(const RetrieveArguments& a,
                                         const eval::TargetSet& targets) {
  std::vector<eval::StageResult> stages;
  for (const std::string& file : a.against) {
    eval::SavedResults saved = eval::read_results(file);
    if (saved.targets != targets) {
      throw Error("results of other targets", "compare results of one data set and phase", file);
    }
    for (eval::StageResult& stage : saved.stages) {
      if (stage.stage == "generative") stage.stage = file;
      stages.push_back(std::move(stage));
    }
  }
  return stages;
}

std::string table_of(const RetrieveArguments& a, const eval::TargetSet& targets,
                     const eval::StageResult& generative, int threads) {
  eval::TextTable table({a.phase, "R@5", "N@5", "R@10", "N@10"});
  const auto own = eval::evaluate(targets, {generative}, a.metrics, threads);
  table.add(row(generative.stage, own.stages[0].rows[0], interval));
  for (const eval::StageResult& other : others_of(a, targets)) {
    const auto both = eval::evaluate(targets, {other, generative}, a.metrics, threads);
    table.add(row(other.stage, both.stages[0].rows[0], interval));
    table.add(row("  generative - it", both.comparisons[0].difference, eval::signed_interval));
  }
  return table.text();
}

double full_share(const eval::StageResult& stage) {
  size_t full = 0;
  for (const auto& list : stage.lists) full += list.size() == 10;
  return double(full) / double(std::max<size_t>(1, stage.lists.size()));
}

void retrieve(RetrieveArguments& a) {
  OptionList(a).check();
  const int threads = a.threads > 0 ? a.threads : default_threads();
  a.search.over_trie = a.codes_over == "trie";
  const data::Dataset dataset = data::Dataset::open(a.data);
  const data::Split split = data::make_split(dataset, a.split);
  const data::Phase phase = data::phase_of(split, a.phase).by_events();
  eval::StageResult generative =
      pipeline::retrieve_by_policy(dataset, phase, {a.policy, a.sid, a.search, threads});
  const eval::TargetSet targets = eval::target_set(phase);
  if (!a.out.empty()) eval::write_results(a.out, targets, {generative});
  fmt::print("{} targets, {} items, {:.1f} % of the lists full, {:.2f} ms a list\n",
             targets.targets.size(), dataset.items(), 100 * full_share(generative),
             generative.milliseconds);
  std::fputs(table_of(a, targets, generative, threads).c_str(), stdout);
}

}  // namespace

void add_retrieve_command(CLI::App& app) {
  auto a = std::make_shared<RetrieveArguments>();
  CLI::App* command = app.add_subcommand(
      "retrieve", "how well a mid-trained policy finds the next item by beam search");
  command->add_option("--data", a->data, "dataset directory")->required();
  command->add_option("--policy", a->policy, "policy directory")->required();
  command->add_option("--sid", a->sid, "semantic-ID directory")->required();
  command->add_option("--out", a->out, "file of the lists to write");
  command->add_option("--against", a->against, "files of other lists to compare with");
  OptionList(*a).add_flags(*command);
  command->footer(kRetrieveFooter);
  command->callback([a] { retrieve(*a); });
}

}  // namespace podium::cli
