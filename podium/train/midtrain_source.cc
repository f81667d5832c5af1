#include "podium/train/midtrain_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "podium/base/error.h"

namespace podium::train {
namespace {

constexpr size_t kMostTokens = 96;                      // of a text
constexpr size_t kMostCategories = 3, kMostBrands = 2;  // of a persona

std::string caption_text(const data::Dataset& dataset, data::ItemIndex item) {
  std::string text = " " + std::string(dataset.title(item)) + ".";
  const auto categories = dataset.categories(item);
  for (size_t i = 0; i < categories.size(); ++i) {
    text += (i == 0 ? " " : " > ") + std::string(categories[i]);
  }
  if (!categories.empty()) text += ".";
  for (const std::string_view more : {dataset.brand(item), dataset.description(item)}) {
    if (!more.empty()) text += " " + std::string(more) + ".";
  }
  return text;
}

using Counts = std::map<std::string, int>;

// "Drama, Comedy"; empty for none.
std::string commonest(const Counts& counts, size_t most) {
  std::vector<std::pair<std::string, int>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (size_t i = 0; i < std::min(most, sorted.size()); ++i) {
    text += (i == 0 ? "" : ", ") + sorted[i].first;
  }
  return text;
}

}  // namespace

std::string persona_text(const data::View& view, data::UserIndex user) {
  const auto items = view.items_of(user);
  const auto ratings = view.ratings_of(user);
  const double sum = std::accumulate(ratings.begin(), ratings.end(), 0.0);
  Counts categories, brands;
  for (size_t i = 0; i < items.size(); ++i) {
    if (double(ratings[i]) * double(items.size()) < sum) continue;
    for (const auto category : view.dataset->categories(items[i]))
      ++categories[std::string(category)];
    const auto brand = view.dataset->brand(items[i]);
    if (!brand.empty()) ++brands[std::string(brand)];
  }
  const std::string liked = commonest(categories, kMostCategories);
  const std::string made = commonest(brands, kMostBrands);
  if (liked.empty() && made.empty()) return "";
  return fmt::format("likes {}{}{}", liked, liked.empty() || made.empty() ? "" : "; ", made);
}

MidtrainSource::MidtrainSource(const rerank::PromptContext& context, const data::View& view,
                               const MidtrainOptions& options, uint64_t seed)
    : context_(context),
      view_(view),
      options_(options),
      seed_(seed),
      end_(context.tokenizer.added("<|endoftext|>")) {
  PODIUM_CHECK(context.dataset != nullptr && context.dataset->items() > 0);
  if (options.codes_over == "trie") trie_.emplace(context.sids);
  uint64_t ends = 0;
  for (data::UserIndex user = 0; user < view.length.size(); ++user) {
    if (view.length[user] < 2) continue;
    users_.push_back(user);
    ends += view.length[user] + uint64_t(options.window) - 3;
    ends_.push_back(ends);
  }
}

// A window of w events ends with the second event or later, at most w - 2 events behind the last,
// and is cut there: so w - 1 windows predict every event but the first from events before it.
MidtrainSource::Window MidtrainSource::window(Rng& rng) const {
  const uint64_t at = rng.below(ends_.back());
  const auto found = std::upper_bound(ends_.begin(), ends_.end(), at) - ends_.begin();
  const data::UserIndex user = users_[size_t(found)];
  const auto items = view_.items_of(user);
  const size_t width = size_t(options_.window);
  const size_t last = size_t(ends_[size_t(found)] - at) + 1;
  const size_t begin = last > width ? last - width : 0;
  const size_t end = std::min(last, items.size());
  return {user, rerank::build_sequence(context_, items.subspan(begin, end - begin))};
}

std::vector<TokenId> MidtrainSource::told(const std::string& text) const {
  auto tokens = context_.tokenizer.encode(" " + text);
  tokens.resize(std::min(tokens.size(), kMostTokens));
  return tokens;
}

std::vector<TokenId> MidtrainSource::either(std::vector<TokenId> one, std::vector<TokenId> other,
                                            Rng& rng) const {
  if (rng.below(2) == 1) std::swap(one, other);
  one.insert(one.end(), other.begin(), other.end());
  one.push_back(end_);
  return one;
}

std::vector<TokenId> MidtrainSource::sequence(Rng& rng) const { return window(rng).tokens; }

std::vector<TokenId> MidtrainSource::caption(Rng& rng) const {
  const auto item = data::ItemIndex(rng.below(context_.dataset->items()));
  std::vector<TokenId> sid;
  rerank::append_sid(context_, item, sid);
  return either(std::move(sid), told(caption_text(*context_.dataset, item)), rng);
}

std::vector<TokenId> MidtrainSource::persona(Rng& rng) const {
  Window drawn = window(rng);
  const std::string likes = persona_text(view_, drawn.user);
  if (likes.empty()) return drawn.tokens;
  return either(std::move(drawn.tokens), told(likes), rng);
}

std::vector<TokenId> MidtrainSource::text(Rng& rng) const {
  const auto item = data::ItemIndex(rng.below(context_.dataset->items()));
  std::vector<TokenId> tokens = told(context_.dataset->item_text(item));
  tokens.push_back(end_);
  return tokens;
}

Example MidtrainSource::example(std::span<const TokenId> tokens) const {
  Example example = document_example(tokens);
  if (trie_) score_codes_over(*trie_, context_.vocabulary, example);
  return example;
}

std::vector<Example> MidtrainSource::batch(int64_t step) const {
  Rng rng = Rng(seed_).fork("midtrain").fork(uint64_t(step));
  std::vector<Example> examples;
  const auto fill = [&](double share, auto&& draw) {
    for (double left = share * options_.batch_tokens; left > 0;) {
      examples.push_back(example(draw()));
      examples.back().packed.dropout = {options_.dropout, rng.next()};
      left -= double(examples.back().tokens());
    }
  };
  const double text = 1 - options_.sequence_share - options_.caption_share - options_.persona_share;
  if (!users_.empty()) {
    fill(options_.sequence_share, [&] { return sequence(rng); });
    fill(options_.persona_share, [&] { return persona(rng); });
  }
  fill(options_.caption_share, [&] { return caption(rng); });
  fill(text, [&] { return this->text(rng); });
  return examples;
}

}  // namespace podium::train
