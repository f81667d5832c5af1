// The built-in evidence teacher: the ranker's scores plus the evidence it used, written as a short
// true trace that cites candidates by their names. Target-blind: it never reads a label.
//
//   pattern: Hair Care.<c_1> together strong, same category.<c_4> similar weak. best<c_1>
//
// pattern: the category that most of the shown history shares ("mixed" when no two items share one,
//   "unknown" without categories).
// match: the teacher's first two candidates, in input order, each with its strongest evidence
//   (at most three, strongest first; "no evidence" when it has none).
// choice: the teacher's first candidate.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "podium/rerank/teacher.h"

namespace podium::rerank {

class EvidenceTeacher : public Teacher {
 public:
  // Of the Plackett-Luce sampling over upstream scores, in standard deviations of the slate's
  // scores: rankers differ in scale. At 0 it follows the scores.
  explicit EvidenceTeacher(double temperature) : temperature_(temperature) {}
  TeacherTrace sample(const PromptContext& context, const Slate& slate, Rng& rng) const;
  std::vector<TeacherTrace> answer(const PromptContext& context,
                                   std::span<const TeacherQuestion> questions,
                                   int threads) const override;

 private:
  double temperature_;
};

// The plain text of the traces' fixed phrases, for training the tokenizer (repeat them, or rare as
// they are beside a catalogue they become many tokens).
std::vector<std::string> trace_phrases();

}  // namespace podium::rerank
