// The permutation grammar: which tokens may come next, so that every decoded answer is a
// permutation of the slate by construction.
//
// States: trace (free text without quotes, backslashes, control bytes or control tokens, at most
// max_trace tokens, closed by open_answer) -> answer (each time a name of those left) -> done.
// A trace that ends with a candidate's name has chosen it: the answer begins with that name. With
// PromptOptions::claims a trace keeps to the grammar of claims (claims.h), which says its end too.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "podium/rerank/claims.h"
#include "podium/rerank/vocabulary.h"

namespace podium::rerank {

enum class TokenKind : uint8_t {
  kForced,  // the only one that may come
  kTrace,   // of a free trace
  kWord,    // of a trace that keeps to claims: one of a few words
  kCite,    // a name in such a trace
  kChoice,  // a name of the answer
};

class PermutationGrammar {
 public:
  // With a free trace.
  PermutationGrammar(const Vocabulary& vocabulary, size_t candidates, bool with_trace,
                     int max_trace);
  // As the context says; it and the slate must outlive the object.
  PermutationGrammar(const PromptContext& context, const Slate& slate, bool with_trace,
                     int max_trace);

  bool done() const { return state_ == State::kDone; }
  // How the next token is chosen. kForced: allowed() has one element. kTrace: trace_mask applies.
  // Else allowed() lists two or more.
  TokenKind kind() const;
  std::span<const TokenId> allowed() const { return allowed_; }  // ascending; empty for kTrace
  void accept(TokenId token);                                    // must be allowed
  const std::vector<int>& order() const { return order_; }       // complete once done

 private:
  enum class State : uint8_t { kOpen, kTrace, kItem, kAfterItem, kEnd, kDone };
  void refresh();

  const Vocabulary& vocabulary_;
  State state_ = State::kOpen;
  bool with_trace_;
  int trace_left_;
  TokenId last_ = -1;  // of the trace
  std::optional<ClaimsWalk> claims_;
  std::vector<TokenId> left_;  // names not yet emitted, ascending
  std::vector<int> order_;
  std::vector<TokenId> allowed_;
};

}  // namespace podium::rerank
