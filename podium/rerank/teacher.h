// Who writes the traces that a policy learns to reason from, and how often it is asked.
#pragma once

#include <vector>

#include "podium/base/option_range.h"
#include "podium/base/rng.h"
#include "podium/rerank/prompt.h"

namespace podium::rerank {

struct TeacherOptions {
  double temperature = 1.0;
  int draws = 6;
  int tries = 8;
  double shuffle_share = 0.5;  // closes position bias
  template <class V>
  void visit(V& v) {
    v("temperature", temperature,
      "sampling temperature of the evidence teacher, in deviations of a slate's scores",
      between(0, 100));
    v("draws", draws, "traces drawn a slate; the policy reads the next one in each epoch",
      between(1, 1000));
    v("tries", tries, "samples a draw until a trace is accepted", between(1, 10000));
    v("shuffle_share", shuffle_share, "share of the draws that show the candidates shuffled",
      between(0, 1));
  }
};

struct TeacherTrace {
  std::vector<TokenId> trace;  // tokens between open_trace and open_answer
  std::vector<int> order;      // the teacher's permutation
};

// Immutable and thread-safe. A new teacher is one class and one line of the traces stage
// (pipeline/stage_bodies.cc).
class Teacher {
 public:
  virtual ~Teacher() = default;
  // One sample. Target-blind: it never reads a label. A function of its arguments.
  virtual TeacherTrace sample(const PromptContext& context, const Slate& slate, Rng& rng) const = 0;
};

}  // namespace podium::rerank
