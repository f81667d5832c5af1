#include "podium/eval/report_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/eval/report_values.h"
#include "podium/eval/text_table.h"

namespace podium::eval {
namespace {

// The comparison that decides: the last one of the stage that is looked for, in this slice.
const Json* decisive(const Json& report) {
  const Json* found = nullptr;
  int found_rank = 0;
  for (const Json& c : report.at("evaluation").at("comparisons")) {
    const auto stage = c.at("stage").get<std::string>();
    const bool reranker = stage.starts_with("gr2");
    if (c.at("slice") != (reranker ? "in-slate" : "all")) continue;
    if (reranker && c.at("baseline") != "upstream") continue;
    const int rank = stage == "gr2-rl" ? 3 : reranker ? 2 : stage == "upstream" ? 1 : 0;
    if (rank < std::max(found_rank, 1)) continue;
    found = &c;
    found_rank = rank;
  }
  return found;
}

std::string title_of(const Json& report, const Json& stage) {
  for (const Json& s : report.at("stages")) {
    if (s.at("stage") == stage) return printable(s.at("title").get<std::string>());
  }
  return printable(stage.get<std::string>());
}

}  // namespace

std::string verdict(const Json& report) {
  const Json* c = decisive(report);
  if (c == nullptr) return "";
  const Json& gain = c->at("metrics").at("N@10");
  if (!gain.at("difference").is_number()) return "";
  const double low = gain.at("low").get<double>(), high = gain.at("high").get<double>();
  const std::string stage = title_of(report, c->at("stage"));
  const std::string baseline = title_of(report, c->at("baseline"));
  const std::string figures =
      fmt::format("N@10 {:+.4f}, with 95 % between {:+.4f} and {:+.4f}, over {} targets",
                  gain.at("difference").get<double>(), low, high,
                  targets_of(report, c->at("slice").get<std::string>()));
  if (low > 0) return fmt::format("“{}” orders better than “{}”: {}.", stage, baseline, figures);
  if (high < 0) return fmt::format("“{}” orders worse than “{}”: {}.", stage, baseline, figures);
  return fmt::format(
      "“{}” is not shown to order better than “{}”: the difference lies within the noise ({}).",
      stage, baseline, figures);
}

}  // namespace podium::eval
