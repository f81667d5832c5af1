// The JSON lines of `podium rerank`. In, one slate a line:
//
//   {"id": "q1", "history": ["A1", "B2"], "candidates": [{"item": "C3", "score": 0.3}, "D4", ...]}
//
// id, item: a string or a whole number. history: oldest first, may be absent. candidates: 2 to 100
// distinct items; either all have a score (larger is better) or none, and then their order counts.
// Other fields are ignored. Out, one line each:
//
//   {"id": "q1", "ranking": ["D4", "C3"], "valid": true, "late": true, "explanation": "..."}
//   {"id": "q1", "error": {"line": 7, "field": "candidates[3].score", "message": "..."}}
//
// A bad line is answered and the stream goes on, so nothing here throws on input. Depends on base
// and headers of rerank alone, which lets the fuzzer link it without the funnel.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "podium/rerank/slate.h"

namespace podium::cli {

inline constexpr size_t kMaxLineBytes = 1 << 20;
inline constexpr size_t kMaxIdBytes = 512;

struct SlateRequest {
  struct Candidate {
    std::string item;
    double score;
  };
  size_t line;  // from 1
  std::string id;
  std::vector<std::string> history;   // oldest first
  std::vector<Candidate> candidates;  // in descending order of score, ties in input order
};

struct SlateProblem {
  size_t line;
  std::string id;     // empty if unknown
  std::string field;  // "" for the whole line
  std::string message;
};

std::variant<SlateRequest, SlateProblem> parse_slate_line(std::string_view text, size_t line);

// Item ids to indices; evidence stays empty for the funnel to fill. A candidate that the catalogue
// does not know is a problem; a history item that it does not know is left out.
using FindItem = std::function<std::optional<rerank::ItemIndex>(std::string_view id)>;
std::variant<rerank::Slate, SlateProblem> to_slate(const SlateRequest& request,
                                                   const FindItem& find);

// order[r] = position in request.candidates of the item at rank r; empty: the answer was invalid,
// so the upstream order is returned with "valid": false. late is left out when false, explanation
// when empty.
std::string ranking_line(const SlateRequest& request, std::span<const int> order, bool late,
                         std::string_view explanation);
std::string problem_line(const SlateProblem& problem);

}  // namespace podium::cli
