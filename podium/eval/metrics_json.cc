#include <cmath>

#include "podium/eval/metrics.h"

namespace podium::eval {
namespace {

Json number(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

Json comparison_json(const Evaluation& evaluation, const Comparison& c) {
  Json metrics = Json::object();
  for (size_t m = 0; m < kMetrics; ++m) {
    metrics[std::string(metric_name(Metric(m)))] = {{"difference", number(c.difference[m].value)},
                                                    {"low", number(c.difference[m].low)},
                                                    {"high", number(c.difference[m].high)},
                                                    {"p", number(c.p[m])}};
  }
  return {{"stage", c.stage},
          {"baseline", c.baseline},
          {"slice", evaluation.slices[c.slice].name},
          {"metrics", std::move(metrics)}};
}

}  // namespace

Json to_json(const MetricRow& row) {
  Json json = Json::object();
  for (size_t m = 0; m < kMetrics; ++m) {
    json[std::string(metric_name(Metric(m)))] = {{"value", number(row[m].value)},
                                                 {"low", number(row[m].low)},
                                                 {"high", number(row[m].high)}};
  }
  return json;
}

Json to_json(const Evaluation& evaluation) {
  Json json = {{"k", evaluation.k}};
  for (const Slice& slice : evaluation.slices) {
    json["slices"].push_back({{"name", slice.name}, {"targets", slice.targets}});
  }
  json["stages"] = Json::array();
  for (const StageMetrics& s : evaluation.stages) {
    Json rows = Json::object();
    for (size_t i = 0; i < s.rows.size(); ++i) {
      rows[evaluation.slices[i].name] = to_json(s.rows[i]);
    }
    json["stages"].push_back({{"stage", s.stage},
                              {"metrics", std::move(rows)},
                              {"coverage", s.coverage},
                              {"gini", s.gini},
                              {"novelty", s.novelty}});
  }
  json["comparisons"] = Json::array();
  for (const Comparison& c : evaluation.comparisons) {
    json["comparisons"].push_back(comparison_json(evaluation, c));
  }
  return json;
}

}  // namespace podium::eval
