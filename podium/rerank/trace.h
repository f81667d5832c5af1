// The built-in evidence teacher: the ranker's scores plus the evidence it used, written as a short
// true trace that cites candidates and their SIDs. Target-blind: it never reads a label. Rejection
// sampling keeps a trace only if the teacher's own first choice is a positive (docs/gr2.md section
// 4).
//
//   pattern: Hair Care.<c_1>SID together strong, same category.<c_4>SID similar weak. best<c_1>
//
// pattern: the category that most of the shown history shares ("mixed" when no two items share one,
//   "unknown" without categories).
// match: the teacher's first two candidates, in input order, each with its strongest evidence
//   (at most three, strongest first; "no evidence" when it has none).
// choice: the teacher's first candidate.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/rng.h"
#include "podium/rerank/prompt.h"

namespace podium::rerank {

struct TeacherOptions {
  // Of the Plackett-Luce sampling over upstream scores, in standard deviations of the slate's
  // scores: rankers differ in scale.
  double temperature = 1.0;
  int tries = 8;  // samples a slate until one is accepted
  template <class V>
  void visit(V& v) {
    v("temperature", temperature,
      "sampling temperature of the evidence teacher, in deviations of a slate's scores");
    v("tries", tries, "samples a slate until a trace is accepted");
  }
};

struct TeacherTrace {
  std::vector<TokenId> trace;  // tokens between open_trace and open_answer
  std::vector<int> order;      // the teacher's permutation
};

// "together", "fits history", "same category"...
std::string_view evidence_phrase(EvidenceKind kind);

// One target-blind sample.
TeacherTrace sample_trace(const PromptContext& context, const Slate& slate, double temperature,
                          Rng& rng);

// The plain text of the traces' fixed phrases, for training the tokenizer (repeat them, or rare as
// they are beside a catalogue they become many tokens).
std::vector<std::string> trace_phrases();

struct RejectionResult {
  std::vector<std::optional<TeacherTrace>> traces;  // [slates]; nullopt: none accepted
  double accept_rate;  // accepted samples / samples drawn (none where there is no positive)
  double coverage;     // slates with a trace / slates
};
RejectionResult rejection_sample(const PromptContext& context, const std::vector<Slate>& slates,
                                 const TeacherOptions& options, uint64_t seed);

}  // namespace podium::rerank
