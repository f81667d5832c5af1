// The permutation grammar: which tokens may come next, so that every decoded answer is a
// permutation of the slate by construction.
//
// States: trace (free text without quotes, backslashes, control bytes or control tokens, at most
// max_trace tokens, closed by open_answer) -> answer (each time a name of those left) -> done.
// A trace that ends with a candidate's name has chosen it: the answer begins with that name.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "podium/rerank/vocabulary.h"

namespace podium::rerank {

// Tokens a trace may hold: a mask over the vocabulary, computed once a tokenizer. SID, candidate
// and text tokens are allowed; ends of messages, answer punctuation, evidence tokens and
// JSON-breaking bytes are not. 1 = allowed; open_answer is allowed.
bool allowed_in_trace(const text::Tokenizer& tokenizer, const Vocabulary& vocabulary,
                      TokenId token);  // open_answer aside
std::vector<uint8_t> trace_mask(const text::Tokenizer& tokenizer, const Vocabulary& vocabulary);

enum class TokenKind : uint8_t { kForced, kTrace, kChoice };

class PermutationGrammar {
 public:
  PermutationGrammar(const Vocabulary& vocabulary, size_t candidates, bool with_trace,
                     int max_trace);

  bool done() const { return state_ == State::kDone; }
  // How the next token is chosen. kForced: allowed() has one element. kTrace: trace_mask applies.
  // kChoice: allowed() lists two or more.
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
  TokenId last_ = -1;          // of the trace
  std::vector<TokenId> left_;  // names not yet emitted, ascending
  std::vector<int> order_;
  std::vector<TokenId> allowed_;
};

}  // namespace podium::rerank
