// The report as a table for terminals.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "podium/eval/report.h"
#include "podium/eval/report_values.h"
#include "podium/eval/report_verdict.h"
#include "podium/eval/text_table.h"

namespace podium::eval {
namespace {

std::string interval(const Json& metric) {
  if (!metric.at("value").is_number()) return "–";
  return fmt::format("[{}, {}]", figure(metric.at("low")), figure(metric.at("high")));
}

const Json* comparison(const Json& report, const std::string& stage, const std::string& baseline,
                       const std::string& slice) {
  for (const Json& c : report.at("evaluation").at("comparisons")) {
    if (c.at("stage") == stage && c.at("baseline") == baseline && c.at("slice") == slice) return &c;
  }
  return nullptr;
}

std::string all_targets(const Json& report) {
  TextTable table({"", "R@1", "R@5", "R@10", "N@5", "N@10", "95 % of N@10", "MRR", "coverage"});
  const Json& stages = report.at("evaluation").at("stages");
  for (size_t i = 0; i < stages.size(); ++i) {
    const Json& row = stages[i].at("metrics").at("all");
    std::vector<std::string> cells = {report.at("stages").at(i).at("title").get<std::string>()};
    for (const char* metric : {"R@1", "R@5", "R@10", "N@5", "N@10"}) {
      cells.push_back(figure(row.at(metric).at("value")));
    }
    cells.push_back(interval(row.at("N@10")));
    cells.push_back(figure(row.at("MRR").at("value")));
    cells.push_back(percent(stages[i].at("coverage")));
    table.add(std::move(cells));
  }
  return table.text();
}

std::string difference(const Json& report, const std::string& stage, const char* metric) {
  const Json* c = comparison(report, stage, "upstream", "in-slate");
  if (c == nullptr) return "–";
  const Json& m = c->at("metrics").at(metric);
  if (!m.at("difference").is_number()) return "–";
  return signed_interval({m.at("difference"), m.at("low"), m.at("high")});
}

// Upstream and the re-rankers, over targets among the K candidates; empty without re-rankers.
std::string in_slate(const Json& report) {
  TextTable table({"", "R@1", "R@3", "N@3", "N@10", "AUC", "N@10 gain on upstream, 95 %"});
  const Json& stages = report.at("evaluation").at("stages");
  size_t rerankers = 0;
  for (size_t i = 0; i < stages.size(); ++i) {
    const auto name = stages[i].at("stage").get<std::string>();
    const bool reranker = name.starts_with("gr2");
    if (!reorders_slates(name)) continue;
    rerankers += reranker ? 1 : 0;
    const Json& row = stages[i].at("metrics").at("in-slate");
    std::vector<std::string> cells = {report.at("stages").at(i).at("title").get<std::string>()};
    for (const char* metric : {"R@1", "R@3", "N@3", "N@10", "AUC"}) {
      cells.push_back(figure(row.at(metric).at("value")));
    }
    cells.push_back(difference(report, name, "N@10"));
    table.add(std::move(cells));
  }
  return rerankers == 0 ? "" : table.text();
}

std::string facts(const Json& report) {
  std::string text;
  for (const Json& fact : report.at("facts")) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                        printable(fact.at("name").get<std::string>()),
                        printable(fact.at("value").get<std::string>()));
  }
  return text;
}

std::string behaviour(const Json& report) {
  TextTable table({"", "order copied", "invalid if unconstrained", "position bias", "ms a slate",
                   "traces grounded", "consistent", "repeating"});
  for (const Json& stage : report.at("stages")) {
    if (!stage.at("stage").get<std::string>().starts_with("gr2")) continue;
    const auto share = [&](const char* name) { return percent(stage.value(name, Json())); };
    table.add({stage.at("title").get<std::string>(), share("identity_rate"), share("invalid_rate"),
               figure(stage.at("position_bias")), figure(stage.at("milliseconds"), 1),
               share("trace_grounded"), share("trace_consistent"), share("trace_repeats")});
  }
  return table.text();
}

}  // namespace

std::string render_table(const Json& report) {
  std::string text =
      fmt::format("\n{}: {}\n{}\n", printable(report.at("title").get<std::string>()),
                  printable(report.at("protocol").get<std::string>()), facts(report));
  text += fmt::format("\nAll {} targets\n{}", targets_of(report, "all"), all_targets(report));
  const std::string slates = in_slate(report);
  if (!slates.empty()) {
    text += fmt::format(
        "\nThe {} targets among upstream's {} candidates, which is all that a "
        "re-ranker can change\n{}\n{}",
        targets_of(report, "in-slate"), report.at("evaluation").at("k").get<size_t>(), slates,
        behaviour(report));
  }
  const std::string meaning = verdict(report);
  if (!meaning.empty()) text += "\nIn short: " + meaning + "\n";
  return text;
}

}  // namespace podium::eval
