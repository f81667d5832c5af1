#include "podium/shadow/gate.h"

#include <fmt/format.h>

namespace podium::shadow {
namespace {

double share(size_t part, size_t whole) { return whole == 0 ? 0 : double(part) / double(whole); }

}  // namespace

std::vector<std::string> objections(const Report& report, const GateLimits& limits) {
  std::vector<std::string> found;
  const Side &now = report.of_active, &next = report.of_candidate;
  const auto more = [&](const char* what, double before, double after, double most) {
    if (after <= before + most) return;
    found.push_back(fmt::format("{}: {:.1f} % with it, {:.1f} % now, {:.0f} more are allowed", what,
                                100 * after, 100 * before, 100 * most));
  };
  const size_t asked = report.questions;
  more("answers that fail", share(now.failed, asked), share(next.failed, asked), limits.failed);
  if (next.failed > now.failed && !found.empty()) found.back() += " (" + next.failure + ")";
  more("degraded answers", share(now.degraded, asked), share(next.degraded, asked),
       limits.degraded);
  more("events of items not known", share(now.unknown, now.history),
       share(next.unknown, next.history), limits.unknown);
  if (report.latency_ratio && *report.latency_ratio > limits.latency &&
      *next.p50_ms > limits.least_ms) {
    found.push_back(
        fmt::format("half of its answers take {:.1f} ms, {:.1f} times as long as now, "
                    "{:.0f} are allowed",
                    *next.p50_ms, *report.latency_ratio, limits.latency));
  }
  if (report.foreseen && report.foreseen->users >= limits.least_users) {
    const eval::Estimate& by = report.foreseen->difference[eval::kN10];
    if (by.high < 0) {
      found.push_back(fmt::format("N@10 on {} events held out: {}, wholly below 0",
                                  report.foreseen->events, eval::signed_interval(by)));
    }
  }
  return found;
}

}  // namespace podium::shadow
