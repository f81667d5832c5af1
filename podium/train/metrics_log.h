// metrics.jsonl: the learning curves of a training stage, one JSON object with "step" a line.
#pragma once

#include <cstdint>
#include <map>

#include "podium/base/files.h"
#include "podium/base/json.h"

namespace podium::train {

// Appends to a file that survives a kill. A resumed run repeats the steps since its checkpoint with
// equal values; finish() writes each step once, so that the result does not show the kill.
class MetricsLog {
 public:
  // Reads what an earlier run wrote. writes: false for all but one of the processes that train
  // together, whose calls then do nothing.
  explicit MetricsLog(fs::path file, bool writes = true);

  void add(int64_t step, const Json& values);
  void finish(const fs::path& file) const;  // in order of step

 private:
  fs::path file_;
  bool writes_;
  std::map<int64_t, Json> rows_;
};

}  // namespace podium::train
