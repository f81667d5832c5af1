// The traces of a run: drawn once from a teacher by rejection sampling, kept as a readable file,
// read by every fine-tuning after that.
//
// traces.jsonl, one draw a line:
//   {"slate": "u1@5", "draw": 0, "accepted": true, "tries": 2, "invalid": 0, "shown": [1,0,2],
//    "order": [2,0,1], "trace": "pattern: ...", "tokens": [...]}
// shown[i]: position, in the slate, of the candidate shown at i. order and trace speak of the slate
// as shown. A draw whose samples were all rejected keeps the last valid one of them; without any it
// has no trace, and the order that was shown.
#pragma once

#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/rerank/teacher.h"

namespace podium::rerank {

struct Trace {
  std::string slate;  // its id
  int draw = 0;
  bool accepted = false;  // the teacher's first choice is a positive (docs/gr2.md section 4)
  int tries = 0;          // samples drawn
  int invalid = 0;        // of them no answers at all
  std::vector<int> shown;
  TeacherTrace teacher;

  bool operator==(const Trace&) const;
};

// The slate with its candidates in the order `shown`.
Slate as_shown(const Slate& slate, std::span<const int> shown);

// options.draws traces of every slate that has a positive and a negative; others have none. Many
// draws are asked for at once, and those that were not accepted again. The same for every thread
// count. Throws Error when interrupted.
std::vector<Trace> draw_traces(const PromptContext& context, const std::vector<Slate>& slates,
                               const Teacher& teacher, const TeacherOptions& options, uint64_t seed,
                               int threads);

void write_traces(const fs::path& dir, const text::Tokenizer& tokenizer,
                  const std::vector<Trace>& traces);
// Throws Error with the line of what is malformed, no permutation, or no trace of this vocabulary.
std::vector<Trace> read_traces(const fs::path& dir, const PromptContext& context);

struct TraceSummary {
  double accept_rate = 0;   // accepted samples / samples drawn
  double coverage = 0;      // draws with an accepted trace / draws
  double invalid_rate = 0;  // samples that were no answers / samples drawn
};
TraceSummary summary_of(const std::vector<Trace>& traces);

}  // namespace podium::rerank
