// JSON requests on standard input, their answers on standard output: see request_json.h.
#pragma once

#include "podium/serving/recommender.h"
#include "podium/serving/request_json.h"

namespace podium::cli {

struct StreamOptions {
  serving::RequestKind kind = serving::RequestKind::kRerank;
  bool explain = false;  // every request
  int deadline_ms = 0;   // of requests that have none; 0: none
};

// Answers in the order of the lines, and as soon as no further line is waiting, so that a program
// may talk line by line. A line that cannot be answered is answered by its error, and when all
// lines are answered, an Error says how many there were. Throws Error when standard output fails.
void answer_lines(const serving::Recommender& recommender, const StreamOptions& options);

}  // namespace podium::cli
