#include "podium/ranking/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>

namespace podium::ranking {
namespace {

constexpr float kAbsent = std::numeric_limits<float>::quiet_NaN();
constexpr size_t kRecent = 10, kNewest = 5;
constexpr double kDecay = 0.8;

constexpr const char* kNames[kColumns] = {
    "next_last",      "near_last",   "near_lag2",      "near_lag3",   "affinity_sum",
    "affinity_max",   "text_last",   "text_mean",      "text_max",    "sequence_score",
    "log_count",      "log_recent",  "brand_last",     "brand_count", "category_last",
    "category_count", "price_ratio", "history_length", "idle_days"};

constexpr const char* kRepeatNames[kRepeatColumns] = {"times_had", "days_since_had"};

float days(int64_t from, int64_t to) {
  return float(std::max(0.0, double(to) - double(from)) / 86400);
}

float shared(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
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
  std::map<std::string_view, uint32_t> category_number, brand_number;
  categories_.resize(dataset.items());
  for (ItemIndex i = 0; i < dataset.items(); ++i) {
    for (const std::string_view name : dataset.categories(i)) {
      categories_[i].push_back(
          category_number.try_emplace(name, uint32_t(category_number.size())).first->second);
    }
    const std::string_view brand = dataset.brand(i);
    brand_.push_back(
        brand.empty() ? 0 : brand_number.try_emplace(brand, brand_number.size() + 1).first->second);
  }
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
  for (const retrieval::Blended& candidate : candidates) {
    for (size_t s = 0; s < first_ / 2; ++s) {
      const bool given = s < candidate.rank.size() && candidate.rank[s] >= 0;
      out[2 * s] = given ? candidate.score[s] : kAbsent;
      out[2 * s + 1] = given ? float(candidate.rank[s]) : kAbsent;
    }
    fill(query, context, candidate.item, out + first_);
    if (sources_.seen == retrieval::SeenRule::kDecay) {
      fill_repeats(query, context, candidate.item, out + first_ + kColumns);
    }
    out += count();
  }
}

void Features::fill(const retrieval::Query& query, const Context& context, ItemIndex item,
                    float* row) const {
  const auto& met = *sources_.covisitation;
  const auto& content = *sources_.content;
  const auto history = query.history;
  const size_t n = history.size();
  std::fill_n(row, size_t(kColumns), 0.0F);
  double weight = 1;
  for (size_t back = 1; back <= context.recent.size(); ++back, weight *= kDecay) {
    const ItemIndex past = history[n - back];
    const float affinity = met.affinity(past, item);
    row[kAffinitySum] += float(weight) * affinity;
    row[kAffinityMax] = std::max(row[kAffinityMax], affinity);
    row[kTextMax] = std::max(row[kTextMax], content.similarity(past, item));
    row[kBrandCount] += brand_[item] != 0 && brand_[item] == brand_[past] ? 1.0F : 0.0F;
    if (back <= 3) {
      const size_t lag[] = {kNearLast, kNearLag2, kNearLag3};
      row[lag[back - 1]] = met.near(past, item);
    }
  }
  if (n > 0) {
    const ItemIndex last = history[n - 1];
    row[kNextLast] = met.next(last, item);
    row[kTextLast] = content.similarity(last, item);
    row[kBrandLast] = brand_[item] != 0 && brand_[item] == brand_[last] ? 1.0F : 0.0F;
    row[kCategoryLast] = shared(categories_[item], categories_[last]);
  }
  row[kTextMean] = content.similarity(context.text_mean, item);
  row[kSequenceScore] = sources_.sasrec ? sources_.sasrec->score(context.user, item) : kAbsent;
  row[kLogCount] = std::log1p(float(sources_.popularity->count(item)));
  row[kLogRecent] = std::log1p(sources_.popularity->recent(item));
  for (const ItemIndex past : context.newest) {
    if (!categories_[item].empty() && shared({categories_[item].back()}, categories_[past]) > 0) {
      ++row[kCategoryCount];
    }
  }
  const float price = dataset_.price(item);
  row[kPriceRatio] =
      price > 0 && context.price > 0 ? float(std::log(double(price) / context.price)) : kAbsent;
  row[kHistoryLength] = std::log1p(float(n));
  const bool timed = !query.times.empty() && query.now > query.times.back();
  row[kIdleDays] = timed ? float(std::log1p(double(query.now - query.times.back()) / 86400)) : 0;
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
