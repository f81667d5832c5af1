#include "podium/train/slate_example.h"

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"

namespace podium::train {

using rerank::PermutationGrammar;
using rerank::TokenKind;

SlateExample::SlateExample(const rerank::PromptContext& context, const rerank::Slate& slate,
                           bool with_trace, int max_trace)
    : context_(context),
      slate_(slate),
      with_trace_(with_trace),
      max_trace_(max_trace),
      alike_(context, slate) {
  const rerank::Prompt prompt = rerank::build_prompt(context, slate);
  const auto range = [](const rerank::Span& span) {
    return Range{int64_t(span.begin), int64_t(span.end)};
  };
  const Range history{0, int64_t(prompt.history())};
  prompt_end_ = int64_t(prompt.tokens.size());
  first_name_ = int64_t(prompt.names());
  for (size_t i = 0; i < prompt.candidates; ++i) names_.push_back(context.vocabulary.candidate(i));
  Packed& packed = example_.packed;
  packed.tokens.assign(prompt.tokens.begin(), prompt.tokens.end());
  const auto positions = prompt.positions();
  packed.positions.assign(positions.begin(), positions.end());
  for (const auto& block : prompt.blocks) packed.segments.push_back({range(block)});
  for (size_t i = 0; i < prompt.candidates; ++i) {
    const auto name = int64_t(prompt.names() + i);
    packed.segments.push_back({{name, name + 1}, {history, range(prompt.item(i))}});
  }
  packed.added_tokens.assign(prompt.evidence.begin(), prompt.evidence.end());
  for (size_t i = 0; i < prompt.evidence.size(); ++i) {
    packed.added_rows.push_back(int64_t(prompt.names() + i / prompt.evidence_tokens()));
  }
  for (size_t t = 0; t < prompt.tokens.size(); ++t) {
    if (!rerank::is_text(prompt.tokens[t])) continue;
    packed.text_rows.push_back(int64_t(t));
    packed.text_items.push_back(rerank::item_of_text(prompt.tokens[t]));
    packed.tokens[t] = rerank::last_code(context, slate, rerank::item_of_text(prompt.tokens[t]));
  }
  packed.scores = prompt.scores;
  for (size_t i = 0; i < prompt.candidates; ++i) {
    packed.score_rows.push_back(int64_t(prompt.names() + i));
  }
  packed.numbers = prompt.numbers;
  for (size_t i = 0; i < prompt.candidates && !prompt.numbers.empty(); ++i) {
    packed.number_rows.push_back(int64_t(prompt.names() + i));
  }
}

void SlateExample::list_choices(std::span<const TokenId> allowed, ScoredToken& scored) const {
  scored.over = Over::kListed;
  scored.allowed.assign(allowed.begin(), allowed.end());
  for (const TokenId token : allowed) {
    const int64_t candidate = token - context_.vocabulary.first_candidate;
    scored.names.push_back(first_name_ + candidate);
  }
}

void SlateExample::add_likeness(const runtime::Likeness& likeness, ScoredToken& scored) const {
  for (const TokenId token : scored.allowed) {
    const auto of = likeness.of(size_t(token - context_.vocabulary.first_candidate));
    scored.likeness.insert(scored.likeness.end(), of.begin(), of.end());
  }
}

PermutationGrammar SlateExample::grammar() const {
  return {context_, slate_, with_trace_, max_trace_};
}

std::span<ScoredToken> SlateExample::add_answer(std::span<const TokenId> tokens, Scores scores) {
  PermutationGrammar left = grammar();
  const auto scored = add_tokens(tokens, scores, left);
  PODIUM_CHECK(left.done());
  return scored;
}

// What the grammar leaves to the policy; scored: its row and target.
ScoredToken SlateExample::choice_of(const PermutationGrammar& grammar, ScoredToken scored) const {
  const TokenKind kind = grammar.kind();
  scored.in_trace = kind != TokenKind::kChoice;
  if (kind == TokenKind::kTrace) {
    list_choices(names_, scored);
    scored.over = Over::kTrace;
  } else if (kind == TokenKind::kWord) {
    scored.over = Over::kWords;
    scored.allowed.assign(grammar.allowed().begin(), grammar.allowed().end());
  } else {
    list_choices(grammar.allowed(), scored);
  }
  return scored;
}

// What has to be known of it without a grammar; scored: its row and target.
ScoredToken SlateExample::form_of(const PermutationGrammar& grammar, ScoredToken scored) const {
  if (grammar.kind() == TokenKind::kWord) {
    scored.over = Over::kMay;
    scored.allowed.assign(grammar.allowed().begin(), grammar.allowed().end());
  } else if (scored.target >= names_.front() && scored.target <= names_.back()) {
    list_choices(names_, scored);
    scored.over = Over::kMay;
    scored.stands.resize(names_.size());
    for (const int put : grammar.order()) scored.stands[size_t(put)] = 1;
  }
  return scored;
}

std::span<ScoredToken> SlateExample::add_tokens(std::span<const TokenId> tokens, Scores scores,
                                                PermutationGrammar& grammar) {
  const int64_t begin = example_.tokens();
  const size_t first = example_.scored.size();
  int64_t used = 0;  // inputs up to the last one that predicts something
  runtime::Likeness likeness(alike_);
  for (size_t t = 0; t < tokens.size(); ++t) {
    const bool choice = scores.choices && grammar.kind() != TokenKind::kForced;
    const ScoredToken plain{.row = begin + int64_t(t) - 1, .target = tokens[t]};
    if (t > 0 && choice) {
      ScoredToken scored = choice_of(grammar, plain);
      if (scored.over == Over::kListed) {
        likeness.follow(grammar.order());  // nothing stands while a trace is written
        add_likeness(likeness, scored);
      }
      example_.scored.push_back(std::move(scored));
    }
    const bool form = scores.form && grammar.kind() != TokenKind::kTrace;
    if (t > 0 && form) example_.scored.push_back(form_of(grammar, plain));
    if (t > 0 && (choice || form)) used = int64_t(t);
    grammar.accept(tokens[t]);
  }
  for (int64_t t = 0; t < used; ++t) {
    example_.packed.tokens.push_back(tokens[size_t(t)]);
    example_.packed.positions.push_back(prompt_end_ + t);
  }
  if (used > 0) example_.packed.segments.push_back({{begin, begin + used}, {{{0, prompt_end_}}}});
  return std::span(example_.scored).subspan(first);
}

void SlateExample::add_labels(std::span<const uint8_t> gains, float weight, size_t ranks) {
  std::vector<int> order;  // the others, as they came, then the choices
  for (const bool chosen : {false, true}) {
    for (size_t i = 0; i < gains.size(); ++i) {
      if ((gains[i] > 0) == chosen) order.push_back(int(i));
    }
  }
  const float gain_sum = std::accumulate(gains.begin(), gains.end(), 0.0F);
  ranks = std::min(ranks, size_t(std::count(gains.begin(), gains.end(), 0)));
  double discounts = 0;
  for (size_t rank = 0; rank < ranks; ++rank) discounts += rank_discount(rank);
  const auto answer = rerank::build_answer(context_, slate_, {}, false, order);
  PermutationGrammar left = grammar();
  // Each name is one token, with what is forced before it.
  const auto added = add_tokens(std::span(answer).first(2 * ranks), {}, left);
  PODIUM_CHECK(added.size() == ranks);
  const std::vector<ScoredToken> choices(added.begin(), added.end());
  example_.scored.resize(example_.scored.size() - ranks);
  for (size_t rank = 0; rank < ranks; ++rank) {
    for (size_t i = 0; i < gains.size(); ++i) {
      if (gains[i] == 0) continue;
      ScoredToken scored = choices[rank];
      scored.target = context_.vocabulary.candidate(i);
      scored.weight = float(weight * rank_discount(rank) / discounts * gains[i] / gain_sum);
      example_.scored.push_back(std::move(scored));
    }
  }
}

}  // namespace podium::train
