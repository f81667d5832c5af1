#include "podium/pipeline/trace_report.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

namespace podium::pipeline {
namespace {

// Of shares that are below 0 where there was nothing to measure.
std::string percent(double share) { return share < 0 ? "–" : fmt::format("{:.1f} %", 100 * share); }
Json measured(double share) { return share < 0 ? Json() : Json(share); }

}  // namespace

TraceReport trace_report(const rerank::PromptContext& context,
                         const std::vector<rerank::Slate>& slates,
                         const std::vector<rerank::Trace>& traces) {
  std::unordered_map<std::string_view, const rerank::Slate*> by_id;
  for (const rerank::Slate& slate : slates) by_id[slate.id] = &slate;
  const rerank::TraceChecker checker(context);
  std::vector<rerank::TraceVerdict> verdicts;
  for (const rerank::Trace& trace : traces) {
    if (trace.teacher.trace.empty()) continue;
    const rerank::Slate shown = rerank::as_shown(*by_id.at(trace.slate), trace.shown);
    verdicts.push_back(checker.check(shown, trace.teacher.trace, trace.teacher.order));
  }
  return {traces.size(), rerank::summary_of(traces), rerank::shares_of(verdicts)};
}

std::string in_words(const TraceReport& report) {
  return fmt::format(
      "{} traces; samples: {} accepted, {} invalid; draws: {} accepted; traces: {} grounded, {} "
      "consistent, {} repeat a candidate",
      report.traces, percent(report.summary.accept_rate), percent(report.summary.invalid_rate),
      percent(report.summary.coverage), percent(report.shares.grounded),
      percent(report.shares.consistent), percent(report.shares.repeats));
}

Json to_json(const TraceReport& report, const std::string& teacher, const Json& endpoint) {
  return {{"teacher", teacher},
          {"traces", report.traces},
          {"accept_rate", report.summary.accept_rate},
          {"coverage", report.summary.coverage},
          {"invalid_rate", report.summary.invalid_rate},
          {"grounded", measured(report.shares.grounded)},
          {"consistent", measured(report.shares.consistent)},
          {"repeats", measured(report.shares.repeats)},
          {"endpoint", endpoint}};
}

}  // namespace podium::pipeline
