// The grammar of claims: traces that say nothing but what the prompt shows.
//
//   pattern: <category of the history, mixed, or unknown>.
//   <name> <claims>;  <name> <claims>. best <name>
//
// Two candidates are cited, none twice, each with its strongest evidence: one claim, two or three,
// in their order; the choice is one of them. So a trace is grounded by construction, and most of
// its tokens are forced: a reader need not compute what only one word can follow.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/rerank/prompt.h"

namespace podium::rerank {

inline constexpr size_t kCitations = 2, kMostClaims = 3;

// "mixed", "unknown", or the most special category of the history's items that comes most often,
// the newest first; cut to what fits a trace.
std::string usual_pattern(const PromptContext& context, const Slate& slate);

// " together strong, fits history": the `most` strongest, or " no evidence".
std::string evidence_text(const Evidence& evidence, size_t most);

// What a trace may say next. Holds references to the context and the slate.
class ClaimsWalk {
 public:
  ClaimsWalk(const PromptContext& context, const Slate& slate);

  bool done() const { return step_ == Step::kDone; }
  bool names() const { return step_ == Step::kCite || step_ == Step::kChoose; }  // else words
  std::span<const TokenId> allowed() const { return allowed_; }  // ascending; empty once done
  void accept(TokenId token);                                    // must be allowed

 private:
  enum class Step : uint8_t { kPattern, kCite, kClaim, kChoose, kDone };
  void begin(Step step);
  void spell_claims();
  void refresh();

  const PromptContext* context_;
  const Slate* slate_;
  Step step_ = Step::kPattern;
  std::vector<std::vector<TokenId>> runs_;  // that may be meant by the words so far
  size_t said_ = 0;                         // tokens of them
  std::vector<TokenId> cited_;              // ascending
  TokenId last_ = -1;                       // cited
  std::vector<TokenId> allowed_;
};

// A candidate that a trace cites, and what it says of it, the strongest first.
struct Citation {
  size_t candidate;
  std::vector<EvidenceKind> kinds;
};
// In the order of the trace; empty for a trace that does not keep to the grammar.
std::vector<Citation> citations(const PromptContext& context, const Slate& slate,
                                std::span<const TokenId> trace);

// What in a trace the grammar does not hold, as text; nullopt: nothing.
std::optional<std::string> foreign_to_claims(const PromptContext& context, const Slate& slate,
                                             std::span<const TokenId> trace);

}  // namespace podium::rerank
