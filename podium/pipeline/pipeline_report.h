// From the finished stages of a run to the report.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "podium/data/dataset.h"
#include "podium/data/split_options.h"
#include "podium/eval/report.h"
#include "podium/pipeline/policy_eval.h"
#include "podium/rerank/prompt.h"

namespace podium::pipeline {

struct ReportSources {
  const data::Dataset* dataset = nullptr;
  const data::Phase* phase = nullptr;  // whose results are shown
  std::vector<fs::path> results;       // files of eval::write_results, all of that phase
  std::vector<std::pair<std::string, fs::path>> curves;  // stage, metrics.jsonl (may be missing)
  std::vector<std::pair<std::string, fs::path>> traces;  // stage, JSON of ExampleTrace
  const std::vector<rerank::Slate>* slates = nullptr;    // [targets of the phase]
  const sid::SidTable* sids = nullptr;
  std::vector<std::pair<std::string, double>> timings;
  std::string protocol;          // "leave-one-out"
  std::string seen = "exclude";  // the rule for seen items
  std::string order = "ranker";  // eval::ReportInput::order
  int64_t seed = 1;
  Json upstream = Json::object();  // upstream.json
  Json teacher = Json::object();   // traces.json
  eval::MetricOptions metrics;
};

// Everything eval::write_report needs. Throws Error when results of another phase are mixed in.
eval::ReportInput collect_report(const ReportSources& sources);

}  // namespace podium::pipeline
