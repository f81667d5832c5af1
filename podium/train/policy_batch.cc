#include "podium/train/policy_batch.h"

#include <algorithm>
#include <limits>

#include "podium/base/error.h"

namespace podium::train {
namespace {

using rerank::PermutationGrammar;
using rerank::TokenKind;
using torch::Tensor;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

Tensor longs(const std::vector<int64_t>& values) { return torch::tensor(values, torch::kLong); }

// [rows, most choices]: the listed tokens of each row, and 0 or -inf where the list has ended.
struct Lists {
  Tensor tokens, mask;
};

Lists lists_of(const std::vector<const ScoredToken*>& scored) {
  size_t most = 1;
  for (const ScoredToken* s : scored) most = std::max(most, s->allowed.size());
  const auto rows = int64_t(scored.size());
  Lists lists{torch::zeros({rows, int64_t(most)}, torch::kLong),
              torch::full({rows, int64_t(most)}, kMinusInfinity)};
  int64_t* tokens = lists.tokens.data_ptr<int64_t>();
  float* mask = lists.mask.data_ptr<float>();
  for (size_t i = 0; i < scored.size(); ++i) {
    const auto& allowed = scored[i]->allowed;
    PODIUM_CHECK(!allowed.empty());
    for (size_t j = 0; j < allowed.size(); ++j) {
      tokens[i * most + j] = allowed[j];
      mask[i * most + j] = 0;
    }
  }
  return lists;
}

// log P of the tokens of one kind, [scored].
Tensor log_probs_of_kind(const std::vector<const ScoredToken*>& scored, const Tensor& hidden,
                         const Tensor& embedding, const Tensor& trace_mask) {
  std::vector<int64_t> rows, targets;
  for (const ScoredToken* s : scored) {
    rows.push_back(s->row);
    targets.push_back(s->target);
  }
  Tensor logits = torch::mm(hidden.index_select(0, longs(rows)), embedding.t());
  const Tensor own = logits.gather(1, longs(targets).unsqueeze(1)).squeeze(1);
  if (scored.front()->over == Over::kTrace) {
    logits = logits.masked_fill(trace_mask.logical_not(), kMinusInfinity);
  } else if (scored.front()->over == Over::kListed) {
    const Lists lists = lists_of(scored);
    logits = logits.gather(1, lists.tokens) + lists.mask;
  }
  return own - logits.logsumexp(1);
}

}  // namespace

Example document_example(std::span<const TokenId> tokens) {
  PODIUM_CHECK(tokens.size() >= 2);
  Example example;
  const auto n = int64_t(tokens.size()) - 1;  // the last token is only predicted
  for (int64_t t = 0; t < n; ++t) {
    example.packed.tokens.push_back(tokens[t]);
    example.packed.positions.push_back(t);
    example.scored.push_back({.row = t, .target = tokens[t + 1], .allowed = {}});
  }
  example.packed.segments.push_back({{0, n}});
  return example;
}

SlateExample::SlateExample(const rerank::PromptContext& context, const rerank::Slate& slate,
                           bool with_trace, int max_trace)
    : context_(context), slate_(slate), with_trace_(with_trace), max_trace_(max_trace) {
  const rerank::Prompt prompt = rerank::build_prompt(context, slate);
  const auto range = [](const rerank::Span& span) {
    return Range{int64_t(span.begin), int64_t(span.end)};
  };
  const Range history{0, int64_t(prompt.history())};
  prompt_end_ = int64_t(prompt.tokens.size());
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
}

std::span<ScoredToken> SlateExample::add_answer(std::span<const TokenId> tokens,
                                                bool score_forced) {
  PermutationGrammar grammar(context_.vocabulary, slate_.candidates.size(), with_trace_,
                             max_trace_);
  const int64_t begin = example_.tokens();
  const size_t first = example_.scored.size();
  int64_t used = 0;  // inputs up to the last one that predicts something
  for (size_t t = 0; t < tokens.size(); ++t) {
    const TokenKind kind = grammar.kind();
    if (t > 0 && (kind != TokenKind::kForced || score_forced)) {
      ScoredToken scored{.row = begin + int64_t(t) - 1, .target = tokens[t], .allowed = {}};
      if (kind == TokenKind::kTrace) scored.over = Over::kTrace;
      if (kind == TokenKind::kChoice) {
        scored.over = Over::kListed;
        scored.allowed.assign(grammar.allowed().begin(), grammar.allowed().end());
      }
      example_.scored.push_back(std::move(scored));
      used = int64_t(t);
    }
    grammar.accept(tokens[t]);
  }
  PODIUM_CHECK(grammar.done());
  for (int64_t t = 0; t < used; ++t) {
    example_.packed.tokens.push_back(tokens[size_t(t)]);
    example_.packed.positions.push_back(prompt_end_ + t);
  }
  if (used > 0) example_.packed.segments.push_back({{begin, begin + used}, {{{0, prompt_end_}}}});
  return std::span(example_.scored).subspan(first);
}

Example concatenate(std::span<const Example> examples) {
  Example all;
  for (const Example& example : examples) {
    const int64_t shift = all.tokens();
    const Packed& p = example.packed;
    all.packed.tokens.insert(all.packed.tokens.end(), p.tokens.begin(), p.tokens.end());
    all.packed.positions.insert(all.packed.positions.end(), p.positions.begin(), p.positions.end());
    const auto moved = [shift](const Range& r) { return Range{r.begin + shift, r.end + shift}; };
    for (const Segment& s : p.segments) {
      all.packed.segments.push_back({moved(s.own), {moved(s.before[0]), moved(s.before[1])}});
    }
    all.packed.added_tokens.insert(all.packed.added_tokens.end(), p.added_tokens.begin(),
                                   p.added_tokens.end());
    for (const int64_t row : p.added_rows) all.packed.added_rows.push_back(row + shift);
    for (const ScoredToken& scored : example.scored) {
      all.scored.push_back(scored);
      all.scored.back().row += shift;
    }
  }
  return all;
}

Tensor log_probs(const rerank::ModelSpec& spec, const std::vector<Tensor>& weights,
                 const Example& example, const Tensor& trace_mask) {
  const Tensor hidden = hidden_states(spec, weights, example.packed);
  const Tensor& embedding = output_embedding(spec, weights);
  std::vector<Tensor> parts;
  std::vector<int64_t> place(example.scored.size());  // of each token in the parts' order
  int64_t next = 0;
  for (Over over : {Over::kVocabulary, Over::kTrace, Over::kListed}) {
    std::vector<const ScoredToken*> scored;
    for (size_t i = 0; i < example.scored.size(); ++i) {
      if (example.scored[i].over != over) continue;
      scored.push_back(&example.scored[i]);
      place[i] = next++;
    }
    if (!scored.empty()) parts.push_back(log_probs_of_kind(scored, hidden, embedding, trace_mask));
  }
  PODIUM_CHECK(!parts.empty());
  if (parts.size() == 1) return parts.front();
  return torch::cat(parts).index_select(0, longs(place));
}

Tensor trace_mask_tensor(const rerank::PromptContext& context, int vocab) {
  const auto allowed = rerank::trace_mask(context.tokenizer, context.vocabulary);
  Tensor mask = torch::zeros({vocab}, torch::kBool);
  for (size_t i = 0; i < allowed.size(); ++i) mask[int64_t(i)] = allowed[i] != 0;
  return mask;
}

}  // namespace podium::train
