#include "podium/eval/compare.h"

#include <fmt/format.h>

#include "podium/base/error.h"
#include "podium/eval/report.h"
#include "podium/eval/text_table.h"

namespace podium::eval {
namespace {

constexpr Metric kShown[] = {kR10, kN10};

void check(const std::vector<SavedResults>& now, const std::vector<SavedResults>& before) {
  if (now.empty() || now.size() != before.size()) {
    throw Error(fmt::format("{} runs are to be compared with {}", now.size(), before.size()),
                "give --against once for each --run");
  }
  for (const auto* runs : {&now, &before}) {
    for (const SavedResults& run : *runs) {
      if (run.targets == now.front().targets) continue;
      throw Error("the runs have different targets", "compare runs of one split of a data set");
    }
  }
}

void append(const StageResult& from, StageResult& to) {
  to.rank.insert(to.rank.end(), from.rank.begin(), from.rank.end());
  to.lists.insert(to.lists.end(), from.lists.begin(), from.lists.end());
  to.labels.insert(to.labels.end(), from.labels.begin(), from.labels.end());
}

// A stage's answers of all runs, one after another; nothing where a run has no such stage.
StageResult joined(const std::vector<SavedResults>& runs, const std::string& stage) {
  StageResult all;
  for (const SavedResults& run : runs) {
    const StageResult* found = find_stage(run.stages, stage);
    if (found == nullptr) return {};
    append(*found, all);
  }
  return all;
}

}  // namespace

std::vector<ComparedStage> compare(const std::vector<SavedResults>& now,
                                   const std::vector<SavedResults>& before,
                                   const MetricOptions& options, int threads) {
  check(now, before);
  TargetSet targets;
  targets.popularity = now.front().targets.popularity;
  for (const SavedResults& run : now) {
    targets.targets.insert(targets.targets.end(), run.targets.targets.begin(),
                           run.targets.targets.end());
  }
  std::vector<ComparedStage> compared;
  for (const StageResult& stage : now.front().stages) {
    StageResult old = joined(before, stage.stage), own = joined(now, stage.stage);
    if (old.rank.empty() || own.rank.empty()) continue;
    old.stage = "before", own.stage = "now";  // neither is taken for an upstream
    const Evaluation both = evaluate(targets, {old, own}, options, threads);
    compared.push_back({stage.stage, both.stages[0].rows[0], both.stages[1].rows[0],
                        both.comparisons[0].difference});
  }
  if (compared.empty()) throw Error("the runs have no stage in common", "train both further");
  return compared;
}

Json to_json(const std::vector<ComparedStage>& stages) {
  Json json = Json::array();
  for (const ComparedStage& s : stages) {
    json.push_back({{"stage", s.stage},
                    {"before", to_json(s.before)},
                    {"now", to_json(s.now)},
                    {"difference", to_json(s.difference)}});
  }
  return json;
}

std::string render(const std::vector<ComparedStage>& stages) {
  std::vector<std::string> head = {""};
  for (const Metric metric : kShown) {
    const std::string name(metric_name(metric));
    head.insert(head.end(), {name + " before", "now", "difference, 95 %", "of it"});
  }
  TextTable table(head);
  for (const ComparedStage& s : stages) {
    std::vector<std::string> row = {stage_title(s.stage)};
    for (const Metric metric : kShown) {
      const double before = s.before[metric].value, difference = s.difference[metric].value;
      row.push_back(fmt::format("{:.4f}", before));
      row.push_back(fmt::format("{:.4f}", s.now[metric].value));
      row.push_back(signed_interval(s.difference[metric]));
      row.push_back(before > 0 ? fmt::format("{:+.1f} %", 100 * difference / before) : "–");
    }
    table.add(row);
  }
  return table.text();
}

}  // namespace podium::eval
