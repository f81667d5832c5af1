// A pooled table as JSON and as text.
#include <fmt/format.h>

#include <cmath>

#include "podium/eval/pool.h"
#include "podium/eval/report.h"
#include "podium/eval/text_table.h"

namespace podium::eval {
namespace {

std::string four_digits(double value) {
  return std::isnan(value) ? "–" : fmt::format("{:.4f}", value);
}

std::string gain(const Estimate& e) { return std::isnan(e.value) ? "–" : signed_interval(e); }

std::string share(const PooledStage& stage, Metric metric) {
  const double gained = stage.over_order[metric].value;
  if (std::isnan(gained)) return "–";
  return fmt::format("{:+.1f} %", 100 * gained / (stage.in_slate[metric].value - gained));
}

}  // namespace

Json to_json(const std::vector<PooledTable>& tables) {
  Json json = Json::array();
  for (const PooledTable& table : tables) {
    Json stages = Json::array();
    for (const PooledStage& stage : table.stages) {
      stages.push_back({{"stage", stage.stage},
                        {"all", to_json(stage.all)},
                        {"in-slate", to_json(stage.in_slate)},
                        {"over order", to_json(stage.over_order)},
                        {"over trees", to_json(stage.over_trees)}});
    }
    json.push_back({{"set", table.set},
                    {"order", table.order},
                    {"runs", table.runs},
                    {"targets", table.targets},
                    {"slates", table.slates},
                    {"stages", std::move(stages)}});
  }
  return json;
}

std::string render(const std::vector<PooledTable>& tables) {
  std::string text;
  for (const PooledTable& table : tables) {
    const std::string name = table.set == "all"
                                 ? "All together"
                                 : printable(table.set) + ", the order of " + table.order;
    text += fmt::format("\n{}: {} run{}, {} targets, {} of them in their slates\n", name,
                        table.runs, table.runs == 1 ? "" : "s", table.targets, table.slates);
    TextTable rows({"", "R@1", "R@3", "N@3", "N@10", "AUC", "R@1 gain", "N@3 gain",
                    "N@10 gain, 95 %", "over the trees", "all: R@10", "N@10"});
    for (const PooledStage& s : table.stages) {
      const MetricRow& own = s.in_slate;
      rows.add({s.stage == "upstream" ? "As it came" : stage_title(s.stage),
                four_digits(own[kR1].value), four_digits(own[kR3].value),
                four_digits(own[kN3].value), four_digits(own[kN10].value),
                four_digits(own[kAuc].value), share(s, kR1), share(s, kN3),
                gain(s.over_order[kN10]), gain(s.over_trees[kN10]), four_digits(s.all[kR10].value),
                four_digits(s.all[kN10].value)});
    }
    text += rows.text();
  }
  return text;
}

}  // namespace podium::eval
