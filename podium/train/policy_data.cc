#include "podium/train/policy_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "podium/base/error.h"

namespace podium::train {
namespace {

using rerank::Slate;

constexpr size_t kMostTokens = 96;  // of a text

std::string caption_text(const data::Dataset& dataset, data::ItemIndex item) {
  std::string text = " " + std::string(dataset.title(item)) + ".";
  const auto categories = dataset.categories(item);
  for (size_t i = 0; i < categories.size(); ++i) {
    text += (i == 0 ? " " : " > ") + std::string(categories[i]);
  }
  if (!categories.empty()) text += ".";
  if (!dataset.brand(item).empty()) text += " " + std::string(dataset.brand(item));
  return text;
}

}  // namespace

SlateSets read_slate_sets(const fs::path& dir, const fs::path& valid_dir) {
  SlateSets sets;
  for (Slate& slate : rerank::read_slates(dir)) {
    if (!slate.can_be_ranked()) continue;
    const bool held_out = valid_dir.empty() && stable_hash(slate.id) % 10 == 0;
    (held_out ? sets.valid : sets.train).push_back(std::move(slate));
  }
  if (!valid_dir.empty()) {
    for (Slate& slate : rerank::read_slates(valid_dir)) {
      if (slate.can_be_ranked()) sets.valid.push_back(std::move(slate));
    }
  }
  if (sets.train.empty()) {
    throw Error("no slate has both a positive and a negative candidate",
                "check the upstream stage: its candidates miss every target", dir.string());
  }
  return sets;
}

Slate maybe_shuffled(const Slate& slate, double share, Rng& rng) {
  Slate copy = slate;
  if (rng.uniform() < share) rng.shuffle(std::span(copy.candidates));
  return copy;
}

Slate equals_permuted(const Slate& slate, Rng& rng) {
  std::map<rerank::Evidence, std::vector<size_t>> places;
  for (size_t i = 0; i < slate.candidates.size(); ++i) {
    places[slate.candidates[i].evidence].push_back(i);
  }
  Slate copy = slate;
  for (const auto& [evidence, from] : places) {
    std::vector<size_t> to = from;
    rng.shuffle(std::span(to));
    for (size_t i = 0; i < from.size(); ++i) copy.candidates[to[i]] = slate.candidates[from[i]];
  }
  return copy;
}

Qwen3 start_policy(const fs::path& dir, const rerank::PromptWorld& world, const SlateSets& slates,
                   uint64_t seed) {
  const size_t numbers = slates.train.empty() ? 0 : slates.train.front().numbers();
  Qwen3 policy = for_slates(load_policy(dir), int(world.prompts.text_width), int(numbers), seed);
  if (policy->spec.vocab == world.tokenizer.vocab()) return policy;
  throw Error("the model's vocabulary is not its tokenizer's", "run mid-training again",
              dir.string());
}

std::vector<size_t> permutation(size_t n, uint64_t seed, uint64_t epoch) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  Rng rng = Rng(seed).fork("order").fork(epoch);
  rng.shuffle(std::span(order));
  return order;
}

MidtrainSource::MidtrainSource(const rerank::PromptContext& context, const data::View& view,
                               const MidtrainOptions& options, uint64_t seed)
    : context_(context),
      view_(view),
      options_(options),
      seed_(seed),
      end_(context.tokenizer.added("<|endoftext|>")) {
  PODIUM_CHECK(context.dataset != nullptr && context.dataset->items() > 0);
  for (data::UserIndex user = 0; user < view.length.size(); ++user) {
    if (view.length[user] >= 2) users_.push_back(user);
  }
}

std::vector<TokenId> MidtrainSource::closed(std::vector<TokenId> tokens) const {
  tokens.push_back(end_);
  return tokens;
}

std::vector<TokenId> MidtrainSource::sequence(Rng& rng) const {
  const auto items = view_.items_of(users_[rng.below(users_.size())]);
  // Windows lie anywhere, with the newest events as likely as any.
  const size_t window = std::min(rerank::kSequenceItems, items.size());
  const size_t begin = window < items.size() ? rng.below(items.size() - window + 1) : 0;
  return closed(rerank::build_sequence(context_, items.subspan(begin, window)));
}

std::vector<TokenId> MidtrainSource::caption(Rng& rng) const {
  const auto item = data::ItemIndex(rng.below(context_.dataset->items()));
  auto text = context_.tokenizer.encode(caption_text(*context_.dataset, item));
  text.resize(std::min(text.size(), kMostTokens));
  std::vector<TokenId> tokens;
  if (rng.below(2) == 0) {
    rerank::append_sid(context_, item, tokens);
    tokens.insert(tokens.end(), text.begin(), text.end());
  } else {
    tokens = std::move(text);
    rerank::append_sid(context_, item, tokens);
  }
  return closed(std::move(tokens));
}

std::vector<TokenId> MidtrainSource::text(Rng& rng) const {
  const auto item = data::ItemIndex(rng.below(context_.dataset->items()));
  const std::string text = context_.dataset->item_text(item);
  auto tokens = context_.tokenizer.encode(fmt::format(" {}", text));
  tokens.resize(std::min(tokens.size(), kMostTokens));
  return closed(std::move(tokens));
}

std::vector<Example> MidtrainSource::batch(int64_t step) const {
  Rng rng = Rng(seed_).fork("midtrain").fork(uint64_t(step));
  std::vector<Example> examples;
  const auto fill = [&](double share, auto&& draw) {
    for (double left = share * options_.batch_tokens; left > 0;) {
      examples.push_back(document_example(draw()));
      left -= double(examples.back().tokens());
    }
  };
  if (!users_.empty()) fill(options_.sequence_share, [&] { return sequence(rng); });
  fill(options_.caption_share, [&] { return caption(rng); });
  fill(1 - options_.sequence_share - options_.caption_share, [&] { return text(rng); });
  return examples;
}

}  // namespace podium::train
