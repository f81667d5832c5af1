#include "podium/train/policy_batch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "podium/base/error.h"

namespace podium::train {
namespace {

using torch::Tensor;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

// [rows, most choices]: the listed tokens of each row with their names' rows, and 0 or -inf where
// the list has ended; target [rows, 1], the token's own place in the list; likeness [rows, most
// choices, kLikeness]; stands [rows, most choices], as ScoredToken::stands.
struct Lists {
  Tensor tokens, names, mask, target, likeness, stands;
};

Lists lists_of(const std::vector<const ScoredToken*>& scored, torch::Device device) {
  size_t most = 1;
  for (const ScoredToken* s : scored) most = std::max(most, s->allowed.size());
  const auto rows = int64_t(scored.size());
  const auto zeros = [&](auto type) { return torch::zeros({rows, int64_t(most)}, type); };
  Lists lists{zeros(torch::kLong),
              zeros(torch::kLong),
              torch::full({rows, int64_t(most)}, kMinusInfinity),
              torch::zeros({rows, 1}, torch::kLong),
              torch::zeros({rows, int64_t(most), int64_t(rerank::kLikeness)}),
              zeros(torch::kFloat)};
  for (size_t i = 0; i < scored.size(); ++i) {
    const ScoredToken& s = *scored[i];
    const size_t at = i * most;
    PODIUM_CHECK(!s.allowed.empty());
    std::copy(s.allowed.begin(), s.allowed.end(), lists.tokens.data_ptr<int64_t>() + at);
    std::copy(s.names.begin(), s.names.end(), lists.names.data_ptr<int64_t>() + at);
    std::fill_n(lists.mask.data_ptr<float>() + at, s.allowed.size(), 0.0F);
    std::copy(s.likeness.begin(), s.likeness.end(),
              lists.likeness.data_ptr<float>() + at * rerank::kLikeness);
    std::copy(s.stands.begin(), s.stands.end(), lists.stands.data_ptr<float>() + at);
    if (s.over == Over::kTrace || s.over == Over::kMay) continue;
    const auto own = std::find(s.allowed.begin(), s.allowed.end(), s.target);
    PODIUM_CHECK(own != s.allowed.end());
    lists.target.data_ptr<int64_t>()[i] = own - s.allowed.begin();
  }
  return {lists.tokens.to(device), lists.names.to(device),    lists.mask.to(device),
          lists.target.to(device), lists.likeness.to(device), lists.stands.to(device)};
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

// log P that one of the listed comes, and no name that stands already, [scored]. logits [scored,
// vocab]; listed [scored, most choices]: their own, -inf where the list has ended; choices: what
// ranks names, which is taught elsewhere.
Tensor log_may(const Tensor& logits, const Tensor& listed, const Tensor& choices,
               const SlateWeights& own, const Tensor& stands) {
  const Tensor any = listed.logsumexp(1) - logits.logsumexp(1);
  const Tensor shared =
      own.key.defined() ? listed + choices.detach() + own.stands * stands : listed;
  return any + shared.masked_fill(stands > 0, kMinusInfinity).logsumexp(1) - shared.logsumexp(1);
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
  const bool named = !scored.front()->names.empty();
  const Tensor choices =
      named && own.key.defined() ? choice_logits(states, all, own, lists) : names;
  if (over == Over::kMay) return log_may(logits, names, choices, own, lists.stands);
  if (over != Over::kTrace) return chosen_of(names, lists.target);
  const Tensor words = logits.masked_fill(frozen.trace_mask.logical_not(), kMinusInfinity);
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
  // Those that are scored over a whole level, over a list of it, and over names, apart.
  std::map<std::tuple<Over, int64_t, bool, bool>, std::vector<const ScoredToken*>> groups;
  for (const ScoredToken& scored : example.scored) {
    groups[{scored.over, scored.level.begin, scored.allowed.empty(), scored.names.empty()}]
        .push_back(&scored);
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
