#include "podium/serve/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <map>

#include "podium/base/mutex.h"
#include "podium/serve/window.h"

namespace podium::serve {
namespace {

using prometheus::Histogram;

const Histogram::BucketBoundaries kBounds = {.0005, .001, .002, .005, .01, .02, .05,
                                             .1,    .2,   .5,   1,    2,   5};

size_t resident_bytes() {
  size_t pages = 0, resident = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu %zu", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * size_t(sysconf(_SC_PAGESIZE));
}

int64_t seconds_now() {
  const auto since = serving::Clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

Json told(const std::optional<double>& ms) {
  if (!ms) return nullptr;
  return *ms;
}

Json told(const char* kind, const std::string& name, const Window::Sum& sum) {
  return {{kind, name},
          {"count", sum.count},
          {"errors", sum.errors},
          {"refused", sum.refused},
          {"p50_ms", told(sum.p50_ms)},
          {"p99_ms", told(sum.p99_ms)}};
}

Json told(const std::vector<Window::Sum>& series) {
  Json requests = Json::array(), errors = Json::array(), p50 = Json::array(), p99 = Json::array();
  for (const Window::Sum& sum : series) {
    requests.push_back(sum.count);
    errors.push_back(sum.errors);
    p50.push_back(told(sum.p50_ms));
    p99.push_back(told(sum.p99_ms));
  }
  return {{"step_s", Window::kStep}, {"end", std::time(nullptr)},
          {"requests", requests},    {"errors", errors},
          {"p50_ms", p50},           {"p99_ms", p99}};
}

}  // namespace

struct Metrics::Parts {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("podium_requests_total")
          .Help("Requests answered, by route and status.")
          .Register(registry);
  prometheus::Family<Histogram>& durations =
      prometheus::BuildHistogram()
          .Name("podium_request_duration_seconds")
          .Help("From a request's arrival until its answer, by route.")
          .Register(registry);
  prometheus::Family<Histogram>& stages = prometheus::BuildHistogram()
                                              .Name("podium_stage_duration_seconds")
                                              .Help("Time of a stage of the funnel in a request.")
                                              .Register(registry);
  prometheus::Family<prometheus::Counter>& degraded =
      prometheus::BuildCounter()
          .Name("podium_degraded_total")
          .Help("Answers that went without something, by what.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& claims =
      prometheus::BuildCounter()
          .Name("podium_explained_claims_total")
          .Help("Claims of explanations, by whether they were told or dropped without a proof.")
          .Register(registry);
  prometheus::Gauge& waiting = gauge("podium_requests_under_way", "Requests under way.");
  prometheus::Gauge& offset = gauge("podium_log_offset", "Offset of the newest durable change.");
  prometheus::Gauge& added = gauge("podium_added_items", "Items that came after training.");
  prometheus::Gauge& resident = gauge("process_resident_memory_bytes", "Resident memory.");

  prometheus::Counter& roll_backs =
      prometheus::BuildCounter()
          .Name("podium_bundle_roll_backs_total")
          .Help("Bundles that were taken back for their answers, without being asked to.")
          .Register(registry)
          .Add({});

  prometheus::Family<prometheus::Counter>& spans =
      prometheus::BuildCounter()
          .Name("podium_spans_total")
          .Help("Spans of traces, by whether the collector took them.")
          .Register(registry);

  Mutex mutex;
  Window all PODIUM_GUARDED_BY(mutex);
  std::map<std::string, Window> of_route PODIUM_GUARDED_BY(mutex);
  std::map<std::string, Window> of_stage PODIUM_GUARDED_BY(mutex);
  std::map<std::string, uint64_t> went_without PODIUM_GUARDED_BY(mutex);

  prometheus::Gauge& gauge(const char* name, const char* help,
                           const prometheus::Labels& labels = {}) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels);
  }
};

Metrics::Metrics(const std::string& version) : parts_(std::make_unique<Parts>()) {
  parts_->gauge("podium_build_info", "The program that runs.", {{"version", version}}).Set(1);
  parts_->gauge("process_start_time_seconds", "When the server was started, unix seconds.")
      .Set(double(std::time(nullptr)));
}
Metrics::~Metrics() = default;

void Metrics::answered(const std::string& route, int status, serving::Clock::duration took,
                       bool light) {
  const double seconds = std::chrono::duration<double>(took).count();
  parts_->requests.Add({{"route", route}, {"status", std::to_string(status)}}).Increment();
  parts_->durations.Add({{"route", route}}, kBounds).Observe(seconds);
  const int64_t now = seconds_now();
  const MutexLock lock(parts_->mutex);
  const auto add = [&](Window& window) {
    window.add(now, seconds * 1000, status >= 500, status == 429);
  };
  add(parts_->of_route[route]);
  if (!light) add(parts_->all);
}

void Metrics::recommended(const serving::Answer& answer) {
  const std::pair<const char*, double> stages[] = {{"retrieval", answer.took.retrieval},
                                                   {"ranking", answer.took.ranking},
                                                   {"policy", answer.took.policy}};
  const int64_t now = seconds_now();
  for (const auto& [name, ms] : stages) {
    if (ms <= 0) continue;  // it had no part
    parts_->stages.Add({{"stage", name}}, kBounds).Observe(ms / 1000);
    const MutexLock lock(parts_->mutex);
    parts_->of_stage[name].add(now, ms);
  }
  for (const std::string_view what : answer.degraded) {
    parts_->degraded.Add({{"what", std::string(what)}}).Increment();
    const MutexLock lock(parts_->mutex);
    ++parts_->went_without[std::string(what)];
  }
}

void Metrics::explained(size_t told, size_t dropped) {
  parts_->claims.Add({{"what", "told"}}).Increment(double(told));
  parts_->claims.Add({{"what", "dropped"}}).Increment(double(dropped));
}

std::string Metrics::prometheus(const Gauges& gauges) const {
  parts_->waiting.Set(double(gauges.waiting));
  parts_->offset.Set(double(gauges.log_offset));
  parts_->added.Set(double(gauges.added_items));
  parts_->resident.Set(double(resident_bytes()));
  const auto raise = [](prometheus::Counter& counter, uint64_t to) {
    counter.Increment(double(to) - counter.Value());
  };
  raise(parts_->roll_backs, gauges.roll_backs);
  raise(parts_->spans.Add({{"outcome", "sent"}}), gauges.spans_sent);
  raise(parts_->spans.Add({{"outcome", "dropped"}}), gauges.spans_dropped);
  return prometheus::TextSerializer().Serialize(parts_->registry.Collect());
}

Json Metrics::recent() const {
  const int64_t now = seconds_now();
  Json routes = Json::array(), stages = Json::array(), degraded = Json::object();
  const MutexLock lock(parts_->mutex);
  for (const auto& [name, window] : parts_->of_route) {
    routes.push_back(told("route", name, window.sum(now)));
  }
  for (const auto& [name, window] : parts_->of_stage) {
    stages.push_back(told("stage", name, window.sum(now)));
  }
  for (const auto& [what, count] : parts_->went_without) degraded[what] = count;
  return {{"routes", std::move(routes)},
          {"stages", std::move(stages)},
          {"degraded", std::move(degraded)},
          {"series", told(parts_->all.series(now))},
          {"rss_bytes", resident_bytes()}};
}

}  // namespace podium::serve
