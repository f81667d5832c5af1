#include "podium/serving/claim_index.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "podium/text/plain_text.h"

namespace podium::serving {
namespace {

constexpr size_t kSample = 2000;  // items, evenly taken, that tell what is common

using Counts = std::unordered_map<std::string, size_t>;

// Whose count is above `share` of the sample, and that is more than one.
std::unordered_set<std::string> above(const Counts& counts, double share, size_t sample) {
  const double most = std::max(1.0, share * double(sample));
  std::unordered_set<std::string> common;
  for (const auto& [name, count] : counts) {
    if (double(count) > most) common.insert(name);
  }
  return common;
}

}  // namespace

ClaimIndex::ClaimIndex(const data::Dataset& dataset) : begin_(dataset.items() + 1) {
  const auto each_pair = [&](auto take) {
    std::vector<std::pair<data::ItemIndex, int32_t>> taken;
    for (data::UserIndex user = 0; user < dataset.users(); ++user) {
      const auto items = dataset.items_of(user);
      const auto times = dataset.times_of(user);
      taken.clear();
      for (size_t i = 0; i < items.size(); ++i) {
        taken.emplace_back(items[i], int32_t(day_of(times[i])));
      }
      std::ranges::sort(taken);
      for (size_t i = 0; i < taken.size(); ++i) {
        const bool last = i + 1 == taken.size() || taken[i + 1].first != taken[i].first;
        if (last) take(taken[i].first, Taker{user, taken[i].second});
      }
    }
  };
  each_pair([&](data::ItemIndex item, const Taker&) { ++begin_[item + 1]; });
  for (size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  takers_.resize(begin_.back());
  std::vector<size_t> next(begin_.begin(), begin_.end() - 1);
  each_pair([&](data::ItemIndex item, const Taker& taker) { takers_[next[item]++] = taker; });

  Counts words, categories;
  const size_t step = std::max<size_t>(1, dataset.items() / kSample);
  size_t sample = 0;
  for (size_t i = 0; i < dataset.items(); i += step, ++sample) {
    const auto item = data::ItemIndex(i);
    const auto all = text::lower_words(dataset.title(item));
    for (const auto& word : std::set<std::string>(all.begin(), all.end())) ++words[word];
    for (const auto category : dataset.categories(item)) ++categories[std::string(category)];
  }
  common_words_ = above(words, 1.0 / 50, sample);
  common_categories_ = above(categories, 1.0 / 3, sample);
}

bool ClaimIndex::telling_word(const std::string& word) const {
  const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return std::ranges::count_if(word, starts) >= 4 && !common_words_.contains(word);
}

}  // namespace podium::serving
