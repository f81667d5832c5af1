#include "podium/serve/trace.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace podium::serve {
namespace {

constexpr int kServer = 2, kInternal = 1, kError = 2;  // of SpanKind and StatusCode

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string::npos; }

// So many random bytes, as hexadecimal digits; not all of them 0.
std::string new_id(size_t bytes) {
  std::array<unsigned char, 16> random{};
  std::string text;
  do {
    if (getrandom(random.data(), bytes, 0) != ssize_t(bytes)) random.fill(1);
    text.clear();
    for (size_t i = 0; i < bytes; ++i) text += fmt::format("{:02x}", random[i]);
  } while (is_zero(text));
  return text;
}

int64_t now_ns() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

Json value_json(const Json& value) {
  if (value.is_number_integer()) return {{"intValue", std::to_string(value.get<int64_t>())}};
  if (!value.is_array()) return {{"stringValue", value}};
  Json values = Json::array();
  for (const Json& one : value) values.push_back(value_json(one));
  return {{"arrayValue", {{"values", std::move(values)}}}};
}

Json attributes_json(const std::vector<std::pair<std::string, Json>>& attributes) {
  Json all = Json::array();
  for (const auto& [key, value] : attributes) {
    all.push_back({{"key", key}, {"value", value_json(value)}});
  }
  return all;
}

Json span_json(const Span& span) {
  Json json = {{"traceId", span.trace},
               {"spanId", span.id},
               {"name", span.name},
               {"kind", span.server ? kServer : kInternal},
               {"startTimeUnixNano", std::to_string(span.start)},
               {"endTimeUnixNano", std::to_string(span.end)},
               {"attributes", attributes_json(span.attributes)}};
  if (!span.parent.empty()) json["parentSpanId"] = span.parent;
  if (span.failed) json["status"] = {{"code", kError}};
  return json;
}

}  // namespace

std::optional<TraceParent> trace_parent(std::string_view header) {
  constexpr size_t kTrace = 3, kSpan = 36, kFlags = 53, kLength = 55;
  if (header.size() < kLength || header[2] != '-' || header[kSpan - 1] != '-' ||
      header[kFlags - 1] != '-') {
    return std::nullopt;
  }
  const std::string_view version = header.substr(0, 2), trace = header.substr(kTrace, 32),
                         span = header.substr(kSpan, 16), flags = header.substr(kFlags, 2);
  const bool known = version == "00" ? header.size() == kLength : version != "ff";
  const bool further = header.size() == kLength || header[kLength] == '-';
  if (!known || !further || !is_hex(version) || !is_hex(trace) || !is_hex(span) || !is_hex(flags) ||
      is_zero(trace) || is_zero(span)) {
    return std::nullopt;
  }
  const bool sampled = (std::stoi(std::string(flags), nullptr, 16) & 1) != 0;
  return TraceParent{std::string(trace), std::string(span), sampled};
}

Json otlp_json(const std::vector<Span>& spans, const std::string& version) {
  Json all = Json::array();
  for (const Span& span : spans) all.push_back(span_json(span));
  Json resource = {
      {"attributes", attributes_json({{"service.name", "podium"}, {"service.version", version}})}};
  Json scope = {{"scope", {{"name", "podium"}, {"version", version}}}, {"spans", std::move(all)}};
  return {{"resourceSpans", Json::array({{{"resource", std::move(resource)},
                                          {"scopeSpans", Json::array({std::move(scope)})}}})}};
}

RequestTrace::RequestTrace(const std::optional<TraceParent>& parent) {
  span_.trace = parent ? parent->trace : new_id(16);
  span_.id = new_id(8);
  if (parent) span_.parent = parent->span;
  span_.server = true;
  span_.start = now_ns();
}

void RequestTrace::add(const serving::Answer& answer) {
  const std::pair<const char*, double> took[] = {{"policy", answer.took.policy},
                                                 {"ranking", answer.took.ranking},
                                                 {"retrieval", answer.took.retrieval}};
  const MutexLock lock(mutex_);
  int64_t end = now_ns();
  for (const auto& [name, ms] : took) {  // the last first: one ends when the next begins
    if (ms <= 0) continue;
    const int64_t start = std::max(span_.start, end - int64_t(ms * 1e6));
    stages_.push_back({.trace = span_.trace,
                       .id = new_id(8),
                       .parent = span_.id,
                       .name = name,
                       .start = start,
                       .end = end});
    end = start;
  }
  for (const std::string_view what : answer.degraded) degraded_.emplace_back(what);
}

std::vector<Span> RequestTrace::end(const std::string& route, const std::string& request_id,
                                    int status) {
  const MutexLock lock(mutex_);
  span_.name = route;
  span_.end = now_ns();
  span_.failed = status >= 500;
  const size_t space = route.find(' ');
  span_.attributes = {{"http.request.method", route.substr(0, space)},
                      {"http.route", space == std::string::npos ? "" : route.substr(space + 1)},
                      {"http.response.status_code", status},
                      {"podium.request_id", request_id}};
  if (!degraded_.empty()) span_.attributes.emplace_back("podium.degraded", degraded_);
  std::vector<Span> all = {std::move(span_)};
  for (Span& stage : stages_) all.push_back(std::move(stage));
  return all;
}

Tracer::Tracer(Send send, TracerOptions options)
    : send_(std::move(send)), options_(std::move(options)), sender_([this] { send_on(); }) {}

Tracer::~Tracer() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  sender_.join();
}

std::shared_ptr<RequestTrace> Tracer::begin(const HttpRequest& request) const {
  const auto parent = trace_parent(request.header("traceparent"));
  if (parent && !parent->sampled) return nullptr;
  return std::make_shared<RequestTrace>(parent);
}

void Tracer::end(std::vector<Span> spans) {
  bool full = false;
  {
    const MutexLock lock(mutex_);
    if (queue_.size() + spans.size() > options_.queue) {
      dropped_ += spans.size();
      return;
    }
    for (Span& span : spans) queue_.push_back(std::move(span));
    full = queue_.size() >= options_.batch;
  }
  if (full) changed_.notify_one();
}

bool Tracer::is_ending() {
  const MutexLock lock(mutex_);
  return ending_;
}

void Tracer::send_on() {
  for (bool ending = false; !ending;) {
    std::vector<Span> batch;
    {
      const MutexLock lock(mutex_);
      const auto until = std::chrono::steady_clock::now() + options_.every;
      while (queue_.size() < options_.batch && !ending_) {
        if (!mutex_.wait_until(changed_, until)) break;
      }
      const size_t n = std::min(options_.batch, queue_.size());
      batch.assign(std::make_move_iterator(queue_.begin()),
                   std::make_move_iterator(queue_.begin() + std::ptrdiff_t(n)));
      queue_.erase(queue_.begin(), queue_.begin() + std::ptrdiff_t(n));
      ending = ending_ && queue_.empty();
    }
    if (batch.empty()) continue;
    const bool arrived = send_(otlp_json(batch, options_.version).dump());
    (arrived ? sent_ : dropped_) += batch.size();
    if (!arrived && is_ending()) return;  // what waits would not arrive either
  }
}

}  // namespace podium::serve
