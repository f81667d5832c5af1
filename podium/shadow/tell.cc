// A report as JSON, and for terminals.
#include <fmt/format.h>

#include "podium/eval/text_table.h"
#include "podium/shadow/trial.h"

namespace podium::shadow {
namespace {

Json told(const std::optional<double>& value) {
  if (!value) return nullptr;
  return *value;
}

Json to_json(const Side& side) {
  Json json = {{"failed", side.failed},
               {"degraded", side.degraded},
               {"went_without", side.went_without},
               {"p50_ms", told(side.p50_ms)},
               {"p99_ms", told(side.p99_ms)},
               {"items", side.items},
               {"shown", side.shown},
               {"history", side.history},
               {"unknown", side.unknown}};
  if (!side.failure.empty()) json["failure"] = side.failure;
  return json;
}

Json to_json(const eval::Estimate& estimate) {
  return {{"value", estimate.value}, {"low", estimate.low}, {"high", estimate.high}};
}

Json to_json(const Foreseen& foreseen) {
  Json json = {{"events", foreseen.events}, {"users", foreseen.users}, {"p", foreseen.p}};
  for (const eval::Metric metric : {eval::kR10, eval::kN10}) {
    json[std::string(eval::metric_name(metric))] = {
        {"active", to_json(foreseen.active[metric])},
        {"candidate", to_json(foreseen.candidate[metric])},
        {"difference", to_json(foreseen.difference[metric])}};
  }
  return json;
}

std::string text(const std::optional<double>& value, const char* unit) {
  return value ? fmt::format("{:.3g}{}", *value, unit) : "–";
}

std::string percent(size_t part, size_t whole) {
  return whole == 0 ? "–" : fmt::format("{:.2f} %", 100 * double(part) / double(whole));
}

}  // namespace

Json to_json(const Report& report) {
  Json json = {{"active", report.active},
               {"candidate", report.candidate},
               {"questions", report.questions},
               {"planned", report.planned},
               {"of_active", to_json(report.of_active)},
               {"of_candidate", to_json(report.of_candidate)},
               {"overlap", told(report.overlap)},
               {"same_first", told(report.same_first)},
               {"rank_change", told(report.rank_change)},
               {"latency_ratio", told(report.latency_ratio)},
               {"foreseen", nullptr}};
  if (report.foreseen) json["foreseen"] = to_json(*report.foreseen);
  return json;
}

std::string render(const Report& report) {
  const Side &now = report.of_active, &next = report.of_candidate;
  const size_t asked = report.questions;
  eval::TextTable table({"", "active", "candidate", "difference, 95 %"});
  const auto row = [&](const char* what, const std::string& active, const std::string& candidate,
                       const std::string& difference = "") {
    table.add({what, active, candidate, difference});
  };
  row("answers that fail", percent(now.failed, asked), percent(next.failed, asked));
  row("degraded answers", percent(now.degraded, asked), percent(next.degraded, asked));
  row("median time", text(now.p50_ms, " ms"), text(next.p50_ms, " ms"));
  row("99 % within", text(now.p99_ms, " ms"), text(next.p99_ms, " ms"));
  row("of the catalogue shown", percent(now.shown, now.items), percent(next.shown, next.items));
  row("events of items not known", percent(now.unknown, now.history),
      percent(next.unknown, next.history));
  if (report.foreseen) {
    for (const eval::Metric metric : {eval::kR10, eval::kN10}) {
      row(std::string(eval::metric_name(metric)).c_str(),
          fmt::format("{:.4f}", report.foreseen->active[metric].value),
          fmt::format("{:.4f}", report.foreseen->candidate[metric].value),
          eval::signed_interval(report.foreseen->difference[metric]));
    }
  }
  std::string out = fmt::format("{} questions", asked);
  if (asked < report.planned) out += fmt::format(" of {} in the time there was", report.planned);
  if (report.foreseen) {
    out += fmt::format("; {} events of {} users held out", report.foreseen->events,
                       report.foreseen->users);
  } else {
    out += "; no event held out: the log has none after what the bundles were trained on";
  }
  out += "\n" + table.text();
  const std::optional<double> overlap =
      report.overlap ? std::optional(100 * *report.overlap) : std::nullopt;
  return out + fmt::format("the first {}: {} in common, a common item moves {}\n", kShown,
                           text(overlap, " %"), text(report.rank_change, " places"));
}

}  // namespace podium::shadow
