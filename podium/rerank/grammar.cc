#include "podium/rerank/grammar.h"

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"

namespace podium::rerank {

PermutationGrammar::PermutationGrammar(const Vocabulary& vocabulary, size_t candidates,
                                       bool with_trace, int max_trace)
    : vocabulary_(vocabulary), with_trace_(with_trace), trace_left_(max_trace), left_(candidates) {
  PODIUM_CHECK(candidates >= 1 && candidates <= kMaxCandidates);
  std::iota(left_.begin(), left_.end(), vocabulary.first_candidate);
  allowed_.reserve(candidates);
  order_.reserve(candidates);
  refresh();
}

PermutationGrammar::PermutationGrammar(const PromptContext& context, const Slate& slate,
                                       bool with_trace, int max_trace)
    : PermutationGrammar(context.vocabulary, slate.candidates.size(), with_trace, max_trace) {
  if (with_trace && context.options.claims) claims_.emplace(context, slate);
}

TokenKind PermutationGrammar::kind() const {
  if (state_ == State::kTrace && trace_left_ > 0 && !claims_) return TokenKind::kTrace;
  if (allowed_.size() < 2) return TokenKind::kForced;
  if (state_ != State::kTrace) return TokenKind::kChoice;
  return claims_->names() ? TokenKind::kCite : TokenKind::kWord;
}

void PermutationGrammar::refresh() {
  allowed_.clear();
  switch (state_) {
    case State::kOpen:
      allowed_ = {with_trace_ ? vocabulary_.open_trace : vocabulary_.open_answer_only};
      break;
    case State::kTrace:
      if (trace_left_ <= 0 || (claims_ && claims_->done())) {
        allowed_ = {vocabulary_.open_answer};
      } else if (claims_) {
        allowed_.assign(claims_->allowed().begin(), claims_->allowed().end());
      }
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
        if (claims_) claims_->accept(token);
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
