#include "podium/ranking/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <unordered_map>

#include "podium/base/error.h"

namespace podium::ranking {
namespace {

constexpr float kAbsent = std::numeric_limits<float>::quiet_NaN();
constexpr size_t kRecent = 10, kNewest = 5;
constexpr double kDecay = 0.8;

constexpr const char* kNames[kColumns] = {
    "next_last",    "near_last",      "near_lag2",   "near_lag3",      "affinity_sum",
    "affinity_max", "text_last",      "text_mean",   "text_max",       "text_lag2",
    "text_lag3",    "text_lag4",      "text_lag5",   "text_lag6",      "text_lag7",
    "text_lag8",    "text_lag9",      "text_lag10",  "sequence_score", "log_count",
    "log_recent",   "brand_last",     "brand_count", "category_last",  "category_count",
    "price_ratio",  "history_length", "idle_days"};

constexpr const char* kRepeatNames[kRepeatColumns] = {"times_had", "days_since_had"};
constexpr uint32_t kForeign = UINT32_MAX;  // a category that no trained item has

float days(int64_t from, int64_t to) {
  return float(std::max(0.0, double(to) - double(from)) / 86400);
}

float shared(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  return float(std::count_if(a.begin(), a.end(), [&](uint32_t category) {
    return std::find(b.begin(), b.end(), category) != b.end();
  }));
}

}  // namespace

// What all candidates of a query share.
struct Features::Context {
  std::vector<float> text_mean, user;
  std::span<const ItemIndex> recent, newest;
  double price = 0;  // mean of the newest, 0: unknown
  struct Had {
    int times = 0;
    std::optional<int64_t> last;
  };
  std::unordered_map<ItemIndex, Had> had;  // filled under SeenRule::kDecay
};

// What the catalogue says of a candidate.
struct Features::Facts {
  ItemIndex item = 0;
  const retrieval::AddedItem* added = nullptr;  // null: a trained item
  uint32_t brand = 0;
  std::span<const uint32_t> categories = {};
  float price = 0;
  std::vector<uint32_t> own = {};  // backs the categories of an added item
};

Features::Features(const data::Dataset& dataset, const retrieval::Sources& sources)
    : dataset_(dataset), sources_(sources) {
  for (const retrieval::Retriever* source : sources.all()) {
    names_.push_back(fmt::format("{}_score", source->name()));
    names_.push_back(fmt::format("{}_rank", source->name()));
  }
  first_ = names_.size();
  names_.insert(names_.end(), std::begin(kNames), std::end(kNames));
  if (sources.seen == retrieval::SeenRule::kDecay) {
    names_.insert(names_.end(), std::begin(kRepeatNames), std::end(kRepeatNames));
  }
  categories_.resize(dataset.items());
  for (ItemIndex i = 0; i < dataset.items(); ++i) {
    for (const std::string_view name : dataset.categories(i)) {
      categories_[i].push_back(
          category_number_.try_emplace(name, uint32_t(category_number_.size())).first->second);
    }
    const std::string_view brand = dataset.brand(i);
    brand_.push_back(
        brand.empty() ? 0
                      : brand_number_.try_emplace(brand, brand_number_.size() + 1).first->second);
  }
}

// [sources][candidates], empty where a source speaks of what it retrieved only.
std::vector<std::vector<float>> Features::scores_of_all(
    const retrieval::Query& query, const std::vector<retrieval::Blended>& candidates) const {
  std::vector<ItemIndex> items;
  for (const retrieval::Blended& candidate : candidates) items.push_back(candidate.item);
  std::vector<std::vector<float>> all;
  for (const retrieval::Retriever* source : sources_.all()) {
    all.push_back(source->scores(query, items));
    PODIUM_CHECK(all.back().empty() || all.back().size() == items.size());
  }
  return all;
}

void Features::compute(const retrieval::Query& query,
                       const std::vector<retrieval::Blended>& candidates, float* out) const {
  Context context;
  context.recent = query.history.last(std::min(kRecent, query.history.size()));
  context.newest = query.history.last(std::min(kNewest, query.history.size()));
  context.text_mean = sources_.content->mean(query.history);
  if (sources_.sasrec) context.user = sources_.sasrec->user_vector(query.history);
  double sum = 0;
  int known = 0;
  for (const ItemIndex item : context.newest) {
    const float price = dataset_.price(item);
    if (price > 0) sum += price, ++known;
  }
  context.price = known > 0 ? sum / known : 0;
  if (sources_.seen == retrieval::SeenRule::kDecay) {
    for (size_t i = 0; i < query.history.size(); ++i) {
      Context::Had& had = context.had[query.history[i]];
      ++had.times;
      if (i < query.times.size()) had.last = query.times[i];
    }
  }
  const std::vector<std::vector<float>> of_all = scores_of_all(query, candidates);
  for (size_t c = 0; c < candidates.size(); ++c) {
    const retrieval::Blended& candidate = candidates[c];
    for (size_t s = 0; s < first_ / 2; ++s) {
      const bool given = s < candidate.rank.size() && candidate.rank[s] >= 0;
      const float otherwise = of_all[s].empty() ? kAbsent : of_all[s][c];
      out[2 * s] = given ? candidate.score[s] : otherwise;
      out[2 * s + 1] = given ? float(candidate.rank[s]) : kAbsent;
    }
    fill(query, context, facts_of(query, candidate.item), out + first_);
    if (sources_.seen == retrieval::SeenRule::kDecay) {
      fill_repeats(query, context, candidate.item, out + first_ + kColumns);
    }
    out += count();
  }
}

Features::Facts Features::facts_of(const retrieval::Query& query, ItemIndex item) const {
  if (item < brand_.size()) {
    return {.item = item,
            .brand = brand_[item],
            .categories = categories_[item],
            .price = dataset_.price(item)};
  }
  const retrieval::AddedItem& added = *query.added[item - brand_.size()];
  Facts facts{.item = item, .added = &added, .price = added.price};
  const auto brand = brand_number_.find(added.brand);
  if (brand != brand_number_.end()) facts.brand = brand->second;
  for (const std::string& name : added.categories) {
    const auto found = category_number_.find(name);
    facts.own.push_back(found == category_number_.end() ? kForeign : found->second);
  }
  facts.categories = facts.own;
  return facts;
}

// What the user's history says of the candidate.
void Features::fill_history(const Context& context, const Facts& facts, float* row) const {
  const auto& met = *sources_.covisitation;
  const auto& content = *sources_.content;
  const auto like = [&](ItemIndex past) {
    return facts.added ? content.similarity(facts.added->vector, past)
                       : content.similarity(past, facts.item);
  };
  const size_t n = context.recent.size();
  double weight = 1;
  for (size_t back = 1; back <= n; ++back, weight *= kDecay) {
    const ItemIndex past = context.recent[n - back];
    const float alike = like(past);
    row[kTextMax] = std::max(row[kTextMax], alike);
    if (back >= 2) row[kTextLag2 + back - 2] = alike;
    row[kBrandCount] += facts.brand != 0 && facts.brand == brand_[past] ? 1.0F : 0.0F;
    if (facts.added) continue;  // nobody has met it yet
    const float affinity = met.affinity(past, facts.item);
    row[kAffinitySum] += float(weight) * affinity;
    row[kAffinityMax] = std::max(row[kAffinityMax], affinity);
    if (back <= 3) {
      const size_t lag[] = {kNearLast, kNearLag2, kNearLag3};
      row[lag[back - 1]] = met.near(past, facts.item);
    }
  }
  if (n == 0) return;
  const ItemIndex last = context.recent[n - 1];
  row[kNextLast] = facts.added ? 0 : met.next(last, facts.item);
  row[kTextLast] = like(last);
  row[kBrandLast] = facts.brand != 0 && facts.brand == brand_[last] ? 1.0F : 0.0F;
  row[kCategoryLast] = shared(facts.categories, categories_[last]);
}

void Features::fill(const retrieval::Query& query, const Context& context, const Facts& facts,
                    float* row) const {
  std::fill_n(row, size_t(kColumns), 0.0F);
  fill_history(context, facts, row);
  if (facts.added) {
    row[kTextMean] = sources_.content->similarity(context.text_mean, facts.added->vector);
    row[kSequenceScore] = facts.added->sequence.empty()
                              ? kAbsent
                              : sources_.sasrec->score(context.user, *facts.added);
  } else {
    row[kTextMean] = sources_.content->similarity(context.text_mean, facts.item);
    row[kSequenceScore] =
        sources_.sasrec ? sources_.sasrec->score(context.user, facts.item) : kAbsent;
    row[kLogCount] = std::log1p(float(sources_.popularity->count(facts.item)));
    row[kLogRecent] = std::log1p(sources_.popularity->recent(facts.item));
  }
  for (const ItemIndex past : context.newest) {
    if (facts.categories.empty()) break;
    if (shared(facts.categories.last(1), categories_[past]) > 0) ++row[kCategoryCount];
  }
  row[kPriceRatio] = facts.price > 0 && context.price > 0
                         ? float(std::log(double(facts.price) / context.price))
                         : kAbsent;
  row[kHistoryLength] = std::log1p(float(query.history.size()));
  const bool timed = !query.times.empty() && query.now > query.times.back();
  const double idle =
      timed ? double(query.now) - double(query.times.back()) : 0;  // cannot overflow
  row[kIdleDays] = float(std::log1p(idle / 86400));
}

void Features::fill_repeats(const retrieval::Query& query, const Context& context, ItemIndex item,
                            float* row) {
  const auto had = context.had.find(item);
  const bool known = had != context.had.end();
  row[kTimesHad] = known ? std::log1p(float(had->second.times)) : 0;
  row[kDaysSinceHad] =
      known && had->second.last ? std::log1p(days(*had->second.last, query.now)) : kAbsent;
}

}  // namespace podium::ranking
