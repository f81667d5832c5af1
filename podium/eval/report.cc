#include "podium/eval/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "podium/base/error.h"

namespace podium::eval {
namespace {

constexpr int kVersion = 1;
constexpr size_t kExamples = 50;
constexpr size_t kCurvePoints = 300;  // longer curves are averaged down to about this many

struct KnownStage {
  const char *name, *title;
};
constexpr std::array<KnownStage, 6> kRetrievers = {{{"popularity", "Popularity"},
                                                    {"item-to-item", "Item-to-item"},
                                                    {"content", "Content"},
                                                    {"sasrec", "SASRec"},
                                                    {"hstu", "HSTU"},
                                                    {"new-items", "New items"}}};
constexpr std::array<KnownStage, 7> kLater = {{{"blend", "Blend"},
                                               {"upstream", "Upstream (boosted trees)"},
                                               {"trees", "Boosted trees on the same lists"},
                                               {"gr2-sft", "GR2 after SFT"},
                                               {"gr2-rl", "GR2 after RL, with trace"},
                                               {"gr2-fast", "GR2 internalised"},
                                               {"gr2-plain", "GR2 after RL, plain reward"}}};

int place_of(const std::string& stage) {
  for (size_t i = 0; i < kRetrievers.size(); ++i) {
    if (stage == kRetrievers[i].name) return int(i);
  }
  for (size_t i = 0; i < kLater.size(); ++i) {
    if (stage == kLater[i].name) return int(kRetrievers.size() + 1 + i);
  }
  return stage.starts_with("gr2") ? 100 : int(kRetrievers.size());
}

Json measured(double value) { return value == -1 ? Json(nullptr) : Json(value); }

Json stages_json(const std::vector<StageResult>& stages, const std::string& order) {
  Json json = Json::array();
  for (const StageResult& s : stages) {
    json.push_back({{"stage", s.stage},
                    {"title", stage_title(s.stage, order)},
                    {"identity_rate", measured(s.identity_rate)},
                    {"invalid_rate", measured(s.invalid_rate)},
                    {"position_bias", measured(s.position_bias)},
                    {"milliseconds", measured(s.milliseconds)},
                    {"trace_grounded", measured(s.trace_grounded)},
                    {"trace_consistent", measured(s.trace_consistent)},
                    {"trace_repeats", measured(s.trace_repeats)}});
  }
  return json;
}

Json curve_json(const Curve& curve) {
  Json points = Json::array();
  const size_t n = curve.points.size(), chunk = std::max<size_t>(1, n / kCurvePoints);
  for (size_t begin = 0; begin < n; begin += chunk) {
    const size_t end = std::min(n, begin + chunk);
    double x = 0, y = 0;
    for (size_t i = begin; i < end; ++i) x += curve.points[i].first, y += curve.points[i].second;
    const double count = double(end - begin);
    points.push_back(Json::array({x / count, y / count}));
  }
  return {{"stage", curve.stage}, {"series", curve.series}, {"points", std::move(points)}};
}

Json item_json(const ExampleItem& item) {
  return {{"id", item.id},
          {"title", item.title},
          {"sid", item.sid},
          {"category", item.category},
          {"positive", item.positive}};
}

Json example_json(const ExampleSlate& slate) {
  Json history = Json::array(), candidates = Json::array(), answers = Json::array();
  for (const ExampleItem& item : slate.history) history.push_back(item_json(item));
  for (const ExampleItem& item : slate.candidates) candidates.push_back(item_json(item));
  for (const ExampleAnswer& answer : slate.answers) {
    for (const int i : answer.order) {
      PODIUM_CHECK(i >= 0 && size_t(i) < slate.candidates.size());
    }
    answers.push_back({{"stage", answer.stage},
                       {"title", stage_title(answer.stage)},
                       {"order", answer.order},
                       {"trace", answer.trace},
                       {"verdict", answer.verdict},
                       {"valid", answer.valid}});
  }
  return {{"user", slate.user},
          {"history", std::move(history)},
          {"candidates", std::move(candidates)},
          {"answers", std::move(answers)}};
}

}  // namespace

void sort_stages(std::vector<StageResult>& stages) {
  std::stable_sort(stages.begin(), stages.end(), [](const StageResult& a, const StageResult& b) {
    return place_of(a.stage) < place_of(b.stage);
  });
}

std::string stage_title(const std::string& stage, const std::string& order) {
  if (stage == "upstream" && order == "shown") return "The order as shown";
  if (stage == "upstream" && order == "generative") return "The policy's own beam search";
  if (stage == "upstream" && order != "ranker") return stage_title(order) + "'s list";
  for (const KnownStage& known : kRetrievers) {
    if (stage == known.name) return known.title;
  }
  for (const KnownStage& known : kLater) {
    if (stage == known.name) return known.title;
  }
  return stage;
}

Json build_report(const ReportInput& input, int threads) {
  std::vector<StageResult> stages = input.stages;
  sort_stages(stages);
  Json json = {{"podium", {{"kind", "report"}, {"version", kVersion}}},
               {"title", input.title},
               {"protocol", input.protocol},
               {"facts", Json::array()},
               {"stages", stages_json(stages, input.order)},
               {"evaluation", to_json(evaluate(input.targets, stages, input.metrics, threads))},
               {"curves", Json::array()},
               {"timings", Json::array()},
               {"examples", Json::array()}};
  for (const auto& [name, value] : input.facts) {
    json["facts"].push_back({{"name", name}, {"value", value}});
  }
  for (const Curve& curve : input.curves) json["curves"].push_back(curve_json(curve));
  for (const auto& [stage, seconds] : input.timings) {
    json["timings"].push_back({{"stage", stage}, {"seconds", seconds}});
  }
  for (size_t i = 0; i < std::min(kExamples, input.examples.size()); ++i) {
    json["examples"].push_back(example_json(input.examples[i]));
  }
  return json;
}

Json write_report(const fs::path& dir, const ReportInput& input, int threads) {
  Json report = build_report(input, threads);
  write_results(dir / "results.json", input.targets, input.stages);
  write_file_atomic(dir / "report.html", render_html(report));
  write_json_atomic(dir / "report.json", report);
  return report;
}

Json read_report(const fs::path& dir) {
  const fs::path file = dir / "report.json";
  if (!fs::exists(file)) {
    throw Error(ErrorKind::kNotFound, "there is no report yet", "run `podium train` to its end",
                file.string());
  }
  Json report = read_json(file);
  const Json& head = report.is_object() && report.contains("podium") ? report["podium"] : Json();
  if (!head.is_object() || head.value("kind", "") != "report") {
    throw Error("not a report of podium", "point --run at a run's directory", file.string());
  }
  if (head.value("version", 0) > kVersion) {
    throw Error("the report was written by a newer podium", "update podium", file.string());
  }
  return report;
}

std::vector<Curve> read_curves(const fs::path& metrics_jsonl, const std::string& stage) {
  if (!fs::exists(metrics_jsonl)) return {};
  std::vector<std::string> names;  // in order of appearance
  std::map<std::string, std::map<double, double>> series;
  const std::string text = read_file(metrics_jsonl);
  double number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const Json row = Json::parse(text.begin() + long(begin), text.begin() + long(end), nullptr,
                                 /*allow_exceptions=*/false);
    begin = end + 1;
    const double line = number++;
    if (!row.is_object()) continue;
    const bool counted = row.contains("step") && row["step"].is_number();
    const double step = counted ? row["step"].get<double>() : line;
    for (const auto& [key, value] : row.items()) {
      if (key == "step" || !value.is_number()) continue;
      if (!series.contains(key)) names.push_back(key);
      series[key][step] = value.get<double>();
    }
  }
  std::vector<Curve> curves;
  for (const std::string& name : names) {
    curves.push_back({stage, name, {series[name].begin(), series[name].end()}});
  }
  return curves;
}

}  // namespace podium::eval
