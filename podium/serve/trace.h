// Traces of requests for an OpenTelemetry collector: one span a request, below it one for each
// stage of each recommendation in it. They are sent in batches on a thread of their own, as OTLP
// over HTTP in its JSON form (opentelemetry-proto 1.x, trace/v1/trace.proto; ids are hexadecimal).
// A collector that is slow or not there costs spans, which are counted, and no request.
//
// A caller's `traceparent` (W3C Trace Context) is gone on with; what it marks as not sampled is not
// traced. No user, item or key is told.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "podium/base/json.h"
#include "podium/base/mutex.h"
#include "podium/serve/http.h"
#include "podium/serving/request.h"

namespace podium::serve {

// Of a caller: 32 and 16 hexadecimal digits.
struct TraceParent {
  std::string trace, span;
  bool sampled = true;
};
// Nothing when the header is not as W3C Trace Context has it.
std::optional<TraceParent> trace_parent(std::string_view header);

struct Span {
  std::string trace, id, parent = {};  // hexadecimal; parent: empty where there is none
  std::string name;
  bool server = false;                                        // of a request; else of a stage in it
  int64_t start = 0, end = 0;                                 // unix nanoseconds
  std::vector<std::pair<std::string, Json>> attributes = {};  // text, whole number or list of texts
  bool failed = false;
};

// ExportTraceServiceRequest.
Json otlp_json(const std::vector<Span>& spans, const std::string& version);

// A request that is traced. Thread-safe.
class RequestTrace {
 public:
  explicit RequestTrace(const std::optional<TraceParent>& parent);
  // The stages of an answer that has just come.
  void add(const serving::Answer& answer);
  // The request's own span first.
  std::vector<Span> end(const std::string& route, const std::string& request_id, int status);

 private:
  Mutex mutex_;
  Span span_ PODIUM_GUARDED_BY(mutex_);
  std::vector<Span> stages_ PODIUM_GUARDED_BY(mutex_);
  std::vector<std::string> degraded_ PODIUM_GUARDED_BY(mutex_);
};

struct TracerOptions {
  std::string version = {};  // of podium
  size_t queue = 4096;       // spans that wait; further ones are dropped
  size_t batch = 512;
  std::chrono::milliseconds every{1000};  // or sooner, when a batch is full
};

// Thread-safe.
class Tracer {
 public:
  // Sends one body; false: it did not arrive, its spans are dropped.
  using Send = std::function<bool(const std::string& body)>;
  Tracer(Send send, TracerOptions options);
  ~Tracer();  // sends what waits, once

  std::shared_ptr<RequestTrace> begin(const HttpRequest& request) const;  // null: not sampled
  void end(std::vector<Span> spans);

  uint64_t sent() const { return sent_; }
  uint64_t dropped() const { return dropped_; }

 private:
  void send_on();
  bool is_ending();

  const Send send_;
  const TracerOptions options_;
  std::atomic<uint64_t> sent_{0}, dropped_{0};
  Mutex mutex_;
  std::condition_variable changed_;
  std::deque<Span> queue_ PODIUM_GUARDED_BY(mutex_);
  bool ending_ PODIUM_GUARDED_BY(mutex_) = false;
  std::thread sender_;  // last: it uses the others
};

// POST to URL/v1/traces, where `url` is http://HOST[:PORT][/PATH]; each within five seconds. Throws
// Error when it is no such URL.
Tracer::Send otlp_over_http(const std::string& url);

}  // namespace podium::serve
