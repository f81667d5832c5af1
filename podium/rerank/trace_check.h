// Reads a trace back against what its writer was shown: a trace is worth reading only if it speaks
// of this slate and ends with the choice that is made.
//
//   grounded     every candidate, semantic ID, category, number (a count, a price, a part of a
//                date) and claim of evidence in it is one of the prompt's
//   consistent   it ends with a candidate's name, which is the answer's first
//   repeats      it names a candidate twice before that choice
//
// Categories are the catalogue's, spelled as there; numbers are digits. A number is grounded when
// the text of the shown items holds it, or when it counts something: the history, the candidates,
// or the items of one category or brand among either. Words of any other kind are not judged.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "podium/rerank/prompt.h"

namespace podium::rerank {

struct TraceVerdict {
  std::string ungrounded;  // the first thing in it that was not shown; empty: grounded
  bool consistent = false;
  bool repeats = false;

  std::string in_words() const;  // "grounded, consistent, no repeats"
};

// Immutable and thread-safe.
class TraceChecker {
 public:
  explicit TraceChecker(const PromptContext& context);  // what that refers to must outlive it

  // slate: as it was shown. order: the answer's; empty: there is none.
  TraceVerdict check(const Slate& slate, std::span<const TokenId> trace,
                     std::span<const int> order) const;

  // The first category of the catalogue in `text` that `shown` does not hold; empty: none.
  std::string foreign_category(std::string_view text, std::string_view shown) const;

 private:
  const PromptContext context_;
  // By their first word, the longest first.
  std::map<std::string, std::vector<std::string>, std::less<>> categories_;
};

// Shares of all traces, each in [0, 1]; -1 without any.
struct TraceShares {
  double grounded = -1, consistent = -1, repeats = -1;
};
TraceShares shares_of(std::span<const TraceVerdict> verdicts);

}  // namespace podium::rerank
