#include "podium/data/item_facts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "podium/base/error.h"

namespace podium::data {
namespace {

// One number a name, as they come.
class Numbers {
 public:
  uint32_t of(std::string_view name) {
    return known_.try_emplace(name, uint32_t(known_.size())).first->second;
  }

 private:
  std::unordered_map<std::string_view, uint32_t> known_;  // names are the dataset's
};

void tell_catalogue(const Dataset& dataset, ItemFacts& facts) {
  Numbers categories, brands;
  brands.of("");
  for (ItemIndex item = 0; item < dataset.items(); ++item) {
    std::vector<uint32_t>& own = facts.categories.emplace_back();
    for (const std::string_view name : dataset.categories(item)) own.push_back(categories.of(name));
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
    facts.price.push_back(dataset.price(item));
    facts.group.push_back(brands.of(dataset.brand(item)));
  }
}

void tell_events(const View& view, ItemFacts& facts) {
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  std::vector<uint64_t> events(facts.items(), 0);
  std::vector<int64_t> first(facts.items(), kNever);
  for (UserIndex user = 0; user < view.length.size(); ++user) {
    const auto items = view.items_of(user);
    const auto times = view.times_of(user);
    for (size_t e = 0; e < items.size(); ++e) {
      ++events[items[e]];
      first[items[e]] = std::min(first[items[e]], times[e]);
    }
  }
  const double all = std::log2(std::max(2.0, double(view.events())));
  const int64_t earliest = *std::min_element(first.begin(), first.end());
  int64_t latest = earliest;
  for (const int64_t time : first) latest = time == kNever ? latest : std::max(latest, time);
  const double span = std::max(1.0, double(latest) - double(earliest));
  for (size_t i = 0; i < events.size(); ++i) {
    const double share = std::log2(double(std::max<uint64_t>(1, events[i])));
    facts.novelty.push_back(float(1 - share / all));
    const double age = double(first[i]) - double(earliest);
    facts.freshness.push_back(first[i] == kNever ? 1.0F : float(age / span));
  }
}

double common_share(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  std::vector<uint32_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  const size_t any = a.size() + b.size() - both.size();
  return any == 0 ? 0 : double(both.size()) / double(any);
}

}  // namespace

ItemFacts item_facts(const View& view, std::span<const float> vectors, size_t dim) {
  const Dataset& dataset = *view.dataset;
  PODIUM_CHECK(vectors.size() == (vectors.empty() ? 0 : dataset.items() * dim));
  ItemFacts facts;
  facts.vectors = vectors;
  facts.dim = dim;
  if (dataset.items() == 0) return facts;
  tell_catalogue(dataset, facts);
  tell_events(view, facts);
  return facts;
}

double similarity(const ItemFacts& facts, ItemIndex a, ItemIndex b) {
  if (facts.vectors.empty()) return common_share(facts.categories[a], facts.categories[b]);
  const auto x = facts.vector(a), y = facts.vector(b);
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

}  // namespace podium::data
