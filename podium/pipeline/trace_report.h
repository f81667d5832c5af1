// What the traces of a run are worth, in figures: traces.json of the stage `traces`.
//
//   {"teacher": "evidence", "traces": 5000, "accept_rate": 0.61, "coverage": 0.98,
//    "invalid_rate": 0, "grounded": 1, "consistent": 1, "repeats": 0,
//    "endpoint": {requests, retries, answers, tokens, cost, and how often answers were invalid, and
//                 why; null without one}}
// grounded, consistent and repeats are null when no draw has a trace.
#pragma once

#include <string>
#include <vector>

#include "podium/base/json.h"
#include "podium/rerank/trace_check.h"
#include "podium/rerank/traces.h"

namespace podium::pipeline {

struct TraceReport {
  size_t traces = 0;
  rerank::TraceSummary summary;
  rerank::TraceShares shares;  // of the draws that have a trace, accepted or not
};

// The traces are of these slates.
TraceReport trace_report(const rerank::PromptContext& context,
                         const std::vector<rerank::Slate>& slates,
                         const std::vector<rerank::Trace>& traces);

std::string in_words(const TraceReport& report);  // one line
Json to_json(const TraceReport& report, const std::string& teacher, const Json& endpoint);

}  // namespace podium::pipeline
