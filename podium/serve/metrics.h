// What the server counts: for Prometheus since it was started, and for the console over the last
// ten minutes.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "podium/base/json.h"
#include "podium/serving/request.h"

namespace podium::serve {

// Thread-safe.
class Metrics {
 public:
  explicit Metrics(const std::string& version);  // of podium
  ~Metrics();

  // light: not of the work that the server is for, such as its own metrics.
  void answered(const std::string& route, int status, serving::Clock::duration took, bool light);
  void recommended(const serving::Answer& answer);  // its stages, and what it went without

  void explained(size_t told, size_t dropped);  // reasons, and claims that were not proved

  struct Gauges {
    size_t waiting = 0;       // requests under way
    int64_t log_offset = 0;   // of the store
    size_t added_items = 0;   // since training
    uint64_t roll_backs = 0;  // that the server made by itself
    uint64_t spans_sent = 0, spans_dropped = 0;
  };
  std::string prometheus(const Gauges& gauges) const;
  // {"routes", "stages", "degraded", "series", "rss_bytes"}, times in ms.
  Json recent() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace podium::serve
