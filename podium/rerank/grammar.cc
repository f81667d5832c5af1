#include "podium/rerank/grammar.h"

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"

namespace podium::rerank {

bool allowed_in_trace(const text::Tokenizer& tokenizer, const Vocabulary& vocabulary,
                      TokenId token) {
  if (token < 0 || token >= tokenizer.vocab()) return false;
  if (tokenizer.is_added(token)) {
    const TokenId last_code =
        vocabulary.code(vocabulary.levels - 1, uint16_t(vocabulary.codes - 1));
    return (token >= vocabulary.first_code && token <= last_code) ||
           (token >= vocabulary.first_candidate &&
            token < vocabulary.first_candidate + int(kMaxCandidates));
  }
  for (const char c : tokenizer.bytes_of(token)) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

std::vector<uint8_t> trace_mask(const text::Tokenizer& tokenizer, const Vocabulary& vocabulary) {
  std::vector<uint8_t> mask(tokenizer.vocab());
  for (size_t i = 0; i < mask.size(); ++i) {
    mask[i] = allowed_in_trace(tokenizer, vocabulary, TokenId(i));
  }
  mask[vocabulary.open_answer] = 1;
  return mask;
}

PermutationGrammar::PermutationGrammar(const Vocabulary& vocabulary, size_t candidates,
                                       bool with_trace, int max_trace)
    : vocabulary_(vocabulary), with_trace_(with_trace), trace_left_(max_trace), left_(candidates) {
  PODIUM_CHECK(candidates >= 1 && candidates <= kMaxCandidates);
  std::iota(left_.begin(), left_.end(), vocabulary.first_candidate);
  allowed_.reserve(candidates);
  order_.reserve(candidates);
  refresh();
}

TokenKind PermutationGrammar::kind() const {
  if (state_ == State::kTrace && trace_left_ > 0) return TokenKind::kTrace;
  return allowed_.size() > 1 ? TokenKind::kChoice : TokenKind::kForced;
}

void PermutationGrammar::refresh() {
  allowed_.clear();
  switch (state_) {
    case State::kOpen:
      allowed_ = {with_trace_ ? vocabulary_.open_trace : vocabulary_.open_answer_only};
      break;
    case State::kTrace:
      if (trace_left_ <= 0) allowed_ = {vocabulary_.open_answer};
      break;
    case State::kItem:
      allowed_ = left_;
      if (order_.empty() && std::binary_search(left_.begin(), left_.end(), last_)) {
        allowed_ = {last_};
      }
      break;
    case State::kAfterItem:
      allowed_ = {left_.empty() ? vocabulary_.close_answer : vocabulary_.next_item};
      break;
    case State::kEnd:
      allowed_ = {vocabulary_.im_end};
      break;
    case State::kDone:
      break;
  }
}

void PermutationGrammar::accept(TokenId token) {
  PODIUM_CHECK(!done());
  PODIUM_CHECK(kind() == TokenKind::kTrace ||
               std::binary_search(allowed_.begin(), allowed_.end(), token));
  switch (state_) {
    case State::kOpen:
      state_ = with_trace_ ? State::kTrace : State::kItem;
      break;
    case State::kTrace:
      if (token == vocabulary_.open_answer) {
        state_ = State::kItem;
      } else {
        --trace_left_;
        last_ = token;
      }
      break;
    case State::kItem:
      order_.push_back(token - vocabulary_.first_candidate);
      std::erase(left_, token);
      state_ = State::kAfterItem;
      break;
    case State::kAfterItem:
      state_ = left_.empty() ? State::kEnd : State::kItem;
      break;
    default:
      state_ = State::kDone;
  }
  refresh();
}

}  // namespace podium::rerank
