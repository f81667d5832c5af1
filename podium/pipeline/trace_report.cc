#include "podium/pipeline/trace_report.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

namespace podium::pipeline {

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
      "{} traces: {:.1f} % of the samples accepted, {:.1f} % invalid, {:.1f} % of the draws "
      "accepted; {:.1f} % grounded, {:.1f} % consistent, {:.1f} % repeat a candidate",
      report.traces, 100 * report.summary.accept_rate, 100 * report.summary.invalid_rate,
      100 * report.summary.coverage, 100 * report.shares.grounded, 100 * report.shares.consistent,
      100 * report.shares.repeats);
}

Json to_json(const TraceReport& report, const std::string& teacher, const Json& endpoint) {
  return {{"teacher", teacher},
          {"traces", report.traces},
          {"accept_rate", report.summary.accept_rate},
          {"coverage", report.summary.coverage},
          {"invalid_rate", report.summary.invalid_rate},
          {"grounded", report.shares.grounded},
          {"consistent", report.shares.consistent},
          {"repeats", report.shares.repeats},
          {"endpoint", endpoint}};
}

}  // namespace podium::pipeline
