// Sequence files: a line a user, "user item item ...", blanks or tabs between, oldest first. There
// are no times: an event's time is its place in the user's sequence, from 0. A user's further
// lines, in this file or the next, go on where the last one ended.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "podium/data/import_sink.h"
#include "podium/data/lines.h"

namespace podium::data {

// Not thread-safe.
class SequenceReader {
 public:
  explicit SequenceReader(ImportSink& sink) : sink_(sink) {}
  void read(Lines& lines);

 private:
  ImportSink& sink_;
  std::unordered_map<std::string, int64_t> length_;  // of each user's sequence so far
};

}  // namespace podium::data
