#include "podium/train/policy_batch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"

namespace podium::train {
namespace {

using rerank::PermutationGrammar;
using rerank::TokenKind;
using torch::Tensor;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

// [rows, most choices]: the listed tokens of each row with their names' rows, and 0 or -inf where
// the list has ended; target [rows, 1], the token's own place in the list; likeness [rows, most
// choices, kLikeness].
struct Lists {
  Tensor tokens, names, mask, target, likeness;
};

Lists lists_of(const std::vector<const ScoredToken*>& scored, torch::Device device) {
  size_t most = 1;
  for (const ScoredToken* s : scored) most = std::max(most, s->allowed.size());
  const auto rows = int64_t(scored.size());
  const auto zeros = [&](auto type) { return torch::zeros({rows, int64_t(most)}, type); };
  Lists lists{zeros(torch::kLong), zeros(torch::kLong),
              torch::full({rows, int64_t(most)}, kMinusInfinity),
              torch::zeros({rows, 1}, torch::kLong),
              torch::zeros({rows, int64_t(most), int64_t(rerank::kLikeness)})};
  for (size_t i = 0; i < scored.size(); ++i) {
    const ScoredToken& s = *scored[i];
    const size_t at = i * most;
    PODIUM_CHECK(!s.allowed.empty());
    std::copy(s.allowed.begin(), s.allowed.end(), lists.tokens.data_ptr<int64_t>() + at);
    std::copy(s.names.begin(), s.names.end(), lists.names.data_ptr<int64_t>() + at);
    std::fill_n(lists.mask.data_ptr<float>() + at, s.allowed.size(), 0.0F);
    std::copy(s.likeness.begin(), s.likeness.end(),
              lists.likeness.data_ptr<float>() + at * rerank::kLikeness);
    if (s.over == Over::kTrace) continue;
    const auto own = std::find(s.allowed.begin(), s.allowed.end(), s.target);
    PODIUM_CHECK(own != s.allowed.end());
    lists.target.data_ptr<int64_t>()[i] = own - s.allowed.begin();
  }
  return {lists.tokens.to(device), lists.names.to(device), lists.mask.to(device),
          lists.target.to(device), lists.likeness.to(device)};
}

// Logits of choices among candidates, [scored, most choices] (ModelSpec).
Tensor choice_logits(const Tensor& states, const States& all, const SlateWeights& own,
                     const Lists& lists) {
  const Tensor query = states.matmul(own.query.t());  // [scored, choice]
  const Tensor named = lists.names.view(-1);
  const Tensor keys = all.input.index_select(0, named).matmul(own.key.t());
  const int64_t rows = lists.names.size(0), most = lists.names.size(1), width = query.size(1);
  const Tensor met = keys.view({rows, most, width}).matmul(query.unsqueeze(2)).squeeze(2);
  const Tensor given = all.given.index_select(0, named).view({rows, most});
  const Tensor weights = states.matmul(own.likeness_user.t()) + own.likeness_bias;
  const Tensor alike = lists.likeness.matmul(weights.unsqueeze(2)).squeeze(2);
  return given + met / std::sqrt(double(width)) + alike + lists.mask;
}

// The logits of a trace's tokens [scored, vocab]: the candidates' names keep the probability that
// they have together, and share it as an answer's choice does (runtime/lane.cc does the same).
// own [scored, most choices]: the names' own logits, from the token `first` on.
Tensor share_names(const Tensor& logits, const Tensor& own, const Tensor& choices, int64_t first) {
  const auto end = first + int64_t(rerank::kMaxCandidates);
  const Tensor names = torch::constant_pad_nd(
      choices.log_softmax(1) + own.logsumexp(1, /*keepdim=*/true),
      {0, int64_t(rerank::kMaxCandidates) - choices.size(1)}, kMinusInfinity);
  return torch::cat({logits.slice(1, 0, first), names, logits.slice(1, end)}, 1);
}

// log P of the tokens of one group, [scored].
Tensor log_probs_of_group(const std::vector<const ScoredToken*>& scored, const States& all,
                          const Tensor& embedding, const SlateWeights& own, const Frozen& frozen) {
  std::vector<int64_t> rows, targets;
  for (const ScoredToken* s : scored) {
    rows.push_back(s->row);
    targets.push_back(s->target);
  }
  const torch::Device device = embedding.device();
  const Tensor states = all.last.index_select(0, longs(rows, device));
  const Over over = scored.front()->over;
  const auto chosen_of = [](const Tensor& logits, const Tensor& places) {
    return logits.gather(1, places).squeeze(1) - logits.logsumexp(1);
  };
  const Tensor places = longs(targets, device).unsqueeze(1);
  if (over == Over::kVocabulary) return chosen_of(torch::mm(states, embedding.t()), places);
  if (over == Over::kCodes) {
    const auto [begin, end] = scored.front()->level;
    const Tensor logits = torch::mm(states, embedding.slice(0, begin, end).t());
    if (scored.front()->allowed.empty()) return chosen_of(logits, places - begin);
    const Lists lists = lists_of(scored, device);
    return chosen_of(logits.gather(1, (lists.tokens - begin).clamp_min(0)) + lists.mask,
                     lists.target);
  }
  const Lists lists = lists_of(scored, device);
  if (over == Over::kListed && own.key.defined()) {
    return chosen_of(choice_logits(states, all, own, lists), lists.target);
  }
  const Tensor logits = torch::mm(states, embedding.t());
  const Tensor names = logits.gather(1, lists.tokens) + lists.mask;
  if (over != Over::kTrace) return chosen_of(names, lists.target);
  const Tensor words = logits.masked_fill(frozen.trace_mask.logical_not(), kMinusInfinity);
  const Tensor choices = own.key.defined() ? choice_logits(states, all, own, lists) : names;
  return chosen_of(share_names(words, names, choices, scored.front()->allowed.front()), places);
}

}  // namespace

Example document_example(std::span<const TokenId> tokens) {
  PODIUM_CHECK(tokens.size() >= 2);
  Example example;
  const auto n = int64_t(tokens.size()) - 1;  // the last token is only predicted
  for (int64_t t = 0; t < n; ++t) {
    example.packed.tokens.push_back(tokens[t]);
    example.packed.positions.push_back(t);
    example.scored.push_back({.row = t, .target = tokens[t + 1]});
  }
  example.packed.segments.push_back({{0, n}});
  return example;
}

void score_codes_over(const sid::SidTrie& trie, const rerank::Vocabulary& vocabulary,
                      Example& document) {
  std::vector<ScoredToken> kept;
  std::vector<uint16_t> prefix;  // of the semantic ID that is being told
  for (ScoredToken& scored : document.scored) {
    const int level = int(prefix.size());
    const TokenId first = vocabulary.code(level, 0);
    const TokenId code = scored.target - first;
    if (code < 0 || code >= vocabulary.codes) {
      PODIUM_CHECK(level == 0);
      kept.push_back(std::move(scored));
      continue;
    }
    const auto next = trie.next_codes(level, trie.find(prefix).value());
    scored.over = Over::kCodes;
    scored.level = {first, first + vocabulary.codes};
    if (next.size() < size_t(vocabulary.codes)) {
      for (const uint16_t one : next) scored.allowed.push_back(first + TokenId(one));
    }
    if (next.size() > 1) kept.push_back(std::move(scored));
    prefix.push_back(uint16_t(code));
    if (level + 1 == trie.levels()) prefix.clear();
  }
  document.scored = std::move(kept);
}

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

std::span<ScoredToken> SlateExample::add_answer(std::span<const TokenId> tokens,
                                                bool score_forced) {
  PermutationGrammar left = grammar();
  const auto scored = add_tokens(tokens, score_forced, left);
  PODIUM_CHECK(left.done());
  return scored;
}

std::span<ScoredToken> SlateExample::add_tokens(std::span<const TokenId> tokens, bool score_forced,
                                                PermutationGrammar& grammar) {
  const int64_t begin = example_.tokens();
  const size_t first = example_.scored.size();
  int64_t used = 0;  // inputs up to the last one that predicts something
  runtime::Likeness likeness(alike_);
  for (size_t t = 0; t < tokens.size(); ++t) {
    const TokenKind kind = grammar.kind();
    if (t > 0 && (kind != TokenKind::kForced || score_forced)) {
      ScoredToken scored{.row = begin + int64_t(t) - 1, .target = tokens[t]};
      scored.in_trace = kind != TokenKind::kForced && kind != TokenKind::kChoice;
      if (kind == TokenKind::kChoice || kind == TokenKind::kCite) {
        list_choices(grammar.allowed(), scored);
        likeness.follow(grammar.order());  // nothing stands while a trace is written
        add_likeness(likeness, scored);
      } else if (kind == TokenKind::kTrace) {
        list_choices(names_, scored);
        scored.over = Over::kTrace;
      } else if (kind == TokenKind::kWord) {
        scored.over = Over::kWords;
        scored.allowed.assign(grammar.allowed().begin(), grammar.allowed().end());
      }
      example_.scored.push_back(std::move(scored));
      used = int64_t(t);
    }
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
  const auto added = add_tokens(std::span(answer).first(2 * ranks), false, left);
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

Example concatenate(std::span<const Example> examples) {
  Example all;
  if (!examples.empty()) all.packed.dropout = examples.front().packed.dropout;
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
    const auto append = [](auto& to, const auto& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    const auto append_moved = [shift](std::vector<int64_t>& to, const std::vector<int64_t>& from) {
      for (const int64_t row : from) to.push_back(row + shift);
    };
    append_moved(all.packed.added_rows, p.added_rows);
    append_moved(all.packed.text_rows, p.text_rows);
    append(all.packed.text_items, p.text_items);
    append_moved(all.packed.number_rows, p.number_rows);
    append(all.packed.numbers, p.numbers);
    append_moved(all.packed.score_rows, p.score_rows);
    append(all.packed.scores, p.scores);
    for (const ScoredToken& scored : example.scored) {
      all.scored.push_back(scored);
      all.scored.back().row += shift;
      for (int64_t& name : all.scored.back().names) name += shift;
    }
  }
  return all;
}

Tensor log_probs(const rerank::ModelSpec& spec, const std::vector<Tensor>& weights,
                 const Example& example, const Frozen& frozen) {
  const States states = states_of(spec, weights, example.packed, frozen.texts);
  const SlateWeights own = slate_weights(spec, weights);
  const Tensor& embedding = output_embedding(spec, weights);
  // Those that are scored over a whole level, and those over a list of it, apart.
  std::map<std::tuple<Over, int64_t, bool>, std::vector<const ScoredToken*>> groups;
  for (const ScoredToken& scored : example.scored) {
    groups[{scored.over, scored.level.begin, scored.allowed.empty()}].push_back(&scored);
  }
  std::vector<Tensor> parts;
  std::vector<int64_t> place(example.scored.size());  // of each token in the parts' order
  int64_t next = 0;
  for (const auto& [group, scored] : groups) {
    for (const ScoredToken* one : scored) place[size_t(one - example.scored.data())] = next++;
    parts.push_back(log_probs_of_group(scored, states, embedding, own, frozen));
  }
  PODIUM_CHECK(!parts.empty());
  const Tensor all = parts.size() == 1
                         ? parts.front()
                         : torch::cat(parts).index_select(0, longs(place, embedding.device()));
  return all.to(torch::kCPU);
}

Frozen frozen_of(const rerank::PromptContext& context, int vocab, torch::Device device) {
  const auto allowed = rerank::trace_mask(context.tokenizer, context.vocabulary);
  Tensor mask = torch::zeros({vocab}, torch::kBool);
  for (size_t i = 0; i < allowed.size(); ++i) mask[int64_t(i)] = allowed[i] != 0;
  Frozen frozen{mask.to(device), {}};
  if (context.text_width > 0) {
    const auto width = int64_t(context.text_width);
    frozen.texts = torch::from_blob(const_cast<float*>(context.texts.data()),  // read only
                                    {int64_t(context.texts.size()) / width, width})
                       .to(device);
  }
  return frozen;
}

}  // namespace podium::train
