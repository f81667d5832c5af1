#include "podium/pipeline/pipeline_report.h"

#include <fmt/format.h>

#include <map>

#include "podium/base/error.h"
#include "podium/retrieval/seen_rule.h"

namespace podium::pipeline {
namespace {

using eval::ExampleItem;
using eval::ExampleSlate;

// With those that no list could hold, and why.
std::string targets_of(const ReportSources& s) {
  std::string text = std::to_string(s.phase->targets.size());
  const Json phase = s.upstream.value(s.phase->name, Json::object());
  if (const auto few = phase.value("too_few_candidates", size_t{0}); few > 0) {
    text += fmt::format(", {} with fewer than two candidates", few);
  }
  return text;
}

std::string traces_of(const ReportSources& s) {
  std::string text =
      fmt::format("by the {} teacher, {:.1f} % of the samples accepted",
                  s.teacher.value("teacher", ""), 100 * s.teacher.value("accept_rate", 0.0));
  const Json grounded = s.teacher.value("grounded", Json());
  if (grounded.is_number())
    text += fmt::format(", {:.1f} % grounded", 100 * grounded.get<double>());
  return text;
}

std::vector<std::pair<std::string, std::string>> facts_of(const ReportSources& s) {
  const data::Dataset& d = *s.dataset;
  const double density = double(d.events()) / double(d.users()) / double(d.items());
  return {{"users", std::to_string(d.users())},
          {"items", std::to_string(d.items())},
          {"events", std::to_string(d.events())},
          {"density", fmt::format("{:.4f} %", 100 * density)},
          {"unique semantic IDs", fmt::format("{:.1f} %", 100 * s.sids->uniqueness())},
          {"targets", targets_of(s)},
          {"traces", traces_of(s)},
          {"seed", std::to_string(s.seed)}};
}

std::string protocol_of(const ReportSources& s) {
  if (s.phase->impressions) {
    return "impressions: the slates shown after the last border, each put in order again, "
           "judged by its clicks";
  }
  const std::string one = s.phase->by_baskets() ? "basket" : "event";
  const std::string split =
      s.protocol == "leave-one-out"
          ? fmt::format("leave-one-out: each user's last {} is predicted", one)
          : fmt::format("global time: every {} after the last border is predicted", one);
  const auto rule = retrieval::parse_seen_rule(s.seen);
  std::string text = fmt::format("{}, ranked against the whole catalogue; {} (--seen {})", split,
                                 retrieval::in_words(rule), s.seen);
  const size_t seen = data::seen_targets(*s.phase);
  if (seen > 0 && rule == retrieval::SeenRule::kExclude) {
    text += fmt::format(": {} of the {} targets are such items and cannot be hit", seen,
                        s.phase->targets.size());
  } else if (seen > 0) {
    text += fmt::format(": {} of the {} targets are such items", seen, s.phase->targets.size());
  }
  return text;
}

ExampleItem example_item(const ReportSources& s, data::ItemIndex item) {
  const auto categories = s.dataset->categories(item);
  ExampleItem out;
  out.id = s.dataset->item_id(item);
  out.title = s.dataset->title(item);
  out.sid = s.sids->spell(item);
  if (!categories.empty()) out.category = categories.back();
  return out;
}

ExampleSlate example_slate(const ReportSources& s, size_t index) {
  const rerank::Slate& slate = s.slates->at(index);
  ExampleSlate out;
  out.user = s.dataset->user_id(s.phase->targets.at(index).user);
  for (data::ItemIndex item : slate.history) out.history.push_back(example_item(s, item));
  for (const auto& candidate : slate.candidates) {
    out.candidates.push_back(example_item(s, candidate.item));
    out.candidates.back().positive = candidate.gain > 0;
  }
  return out;
}

// Answers of several policies to the same slates, by slate.
std::vector<ExampleSlate> examples_of(const ReportSources& s) {
  std::map<size_t, ExampleSlate> slates;
  for (const auto& [stage, file] : s.traces) {
    for (ExampleTrace& answer : example_traces_from_json(read_json(file))) {
      auto found = slates.find(answer.slate);
      if (found == slates.end()) {
        found = slates.emplace(answer.slate, example_slate(s, answer.slate)).first;
      }
      found->second.answers.push_back({.stage = stage,
                                       .order = std::move(answer.order),
                                       .trace = std::move(answer.trace),
                                       .verdict = std::move(answer.verdict)});
    }
  }
  std::vector<ExampleSlate> all;
  for (auto& [index, slate] : slates) all.push_back(std::move(slate));
  return all;
}

}  // namespace

eval::ReportInput collect_report(const ReportSources& sources) {
  eval::ReportInput input;
  input.title = sources.dataset->name();
  input.protocol = protocol_of(sources);
  input.order = sources.order;
  input.facts = facts_of(sources);
  input.targets = eval::target_set(*sources.phase);
  for (const fs::path& file : sources.results) {
    eval::SavedResults saved = eval::read_results(file);
    if (saved.targets != input.targets) {
      throw Error("results of other targets", "run the same command again", file.string());
    }
    for (auto& stage : saved.stages) input.stages.push_back(std::move(stage));
  }
  eval::sort_stages(input.stages);
  for (const auto& [stage, file] : sources.curves) {
    for (auto& curve : eval::read_curves(file, stage)) input.curves.push_back(std::move(curve));
  }
  input.metrics = sources.metrics;
  input.timings = sources.timings;
  input.examples = examples_of(sources);
  return input;
}

}  // namespace podium::pipeline
