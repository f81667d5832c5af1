#include "podium/funnel/order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>

#include "podium/base/error.h"

namespace podium::funnel {
namespace {

constexpr float kLast = -std::numeric_limits<float>::infinity();

float score_of_rank(size_t rank) { return -std::log2(float(rank + 1)); }

Arrangement by_scores(std::span<const float> scores, size_t blended = SIZE_MAX) {
  const size_t first = std::min(blended, scores.size());
  Arrangement arrangement{order_by(scores.first(first)), {}};
  for (const size_t i : order_by(scores.subspan(first))) arrangement.order.push_back(first + i);
  for (const size_t i : arrangement.order) arrangement.score.push_back(scores[i]);
  return arrangement;
}

// Where a source stands in Sources::all() and so in a candidate's ranks.
std::optional<size_t> place_of(const retrieval::Sources& sources, std::string_view name) {
  const auto all = sources.all();
  const auto found = std::ranges::find(all, name, &retrieval::Retriever::name);
  return found == all.end() ? std::nullopt : std::optional(size_t(found - all.begin()));
}

}  // namespace

bool is_given(const std::string& order) {
  return order == kShownOrder || order == kGenerativeOrder;
}

Arrangement arrange_listed(std::vector<size_t> order) {
  Arrangement arrangement{std::move(order), {}};
  for (size_t r = 0; r < arrangement.order.size(); ++r) {
    arrangement.score.push_back(score_of_rank(r));
  }
  return arrangement;
}

std::vector<size_t> order_by(std::span<const float> scores) {
  const auto value = [&](size_t i) { return std::isnan(scores[i]) ? kLast : scores[i]; };
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return value(a) > value(b); });
  return order;
}

void keep_new_places(size_t places, const retrieval::Sources& sources, const Described& found,
                     Arrangement& arrangement) {
  std::vector<size_t>& order = arrangement.order;
  if (places == 0 || order.size() <= kFirst) return;
  const auto source = place_of(sources, retrieval::NewItems::kName);
  if (!source) return;
  const auto is_new = [&](size_t i) { return found.candidates[i].rank[*source] >= 0; };
  const auto first = std::span(order).first(kFirst), after = std::span(order).subspan(kFirst);
  const auto there = size_t(std::ranges::count_if(first, is_new));
  const auto waiting = size_t(std::ranges::count_if(after, is_new));
  const size_t move = std::min(places - std::min(places, there), waiting);
  size_t known = kFirst - there - move;  // known items that stay among the first
  std::vector<size_t> kept, moved, pushed, rest;
  for (const size_t i : first) {
    const bool stays = is_new(i) || known > 0;
    known -= stays && !is_new(i);
    (stays ? kept : pushed).push_back(i);
  }
  for (const size_t i : after) {
    const bool moves = is_new(i) && moved.size() < move;
    (moves ? moved : rest).push_back(i);
  }
  order = std::move(kept);
  for (const auto* part : {&moved, &pushed, &rest}) {
    order.insert(order.end(), part->begin(), part->end());
  }
}

Arrangement arrange_found(const std::string& order, size_t new_places,
                          const retrieval::Sources& sources, const Described& found,
                          std::span<const float> scores) {
  if (order == kRankerOrder) {
    Arrangement arrangement = by_scores(scores, found.blended);
    keep_new_places(new_places, sources, found, arrangement);
    return arrangement;
  }
  if (is_given(order)) return arrange_listed(by_scores(scores, found.blended).order);
  const auto source = place_of(sources, order);
  if (!source) {
    throw Error("upstream.order names a source that this run does not have: " + order,
                "train that source too, or choose another order");
  }
  std::vector<std::pair<int, size_t>> listed;
  for (size_t i = 0; i < found.candidates.size(); ++i) {
    const int rank = found.candidates[i].rank[*source];
    if (rank >= 0) listed.emplace_back(rank, i);
  }
  std::sort(listed.begin(), listed.end());
  std::vector<size_t> places;
  for (const auto& [rank, i] : listed) places.push_back(i);
  return arrange_listed(std::move(places));
}

Arrangement arrange_given(const std::string& order, const ranking::Features& features,
                          const Described& given, std::span<const float> scores) {
  if (order == kRankerOrder) return by_scores(scores);
  const size_t n = given.candidates.size();
  std::vector<size_t> places(n);
  std::iota(places.begin(), places.end(), size_t{0});
  if (is_given(order)) return arrange_listed(std::move(places));
  const auto column = column_of_source(order);
  if (!column) {
    throw Error("upstream.order: " + order + " cannot order candidates that it did not find",
                "choose ranker, shown, popularity, item-to-item, content or sasrec");
  }
  std::vector<float> values;
  for (size_t i = 0; i < n; ++i) {
    values.push_back(given.rows[i * features.count() + features.column(*column)]);
  }
  return arrange_listed(order_by(values));
}

std::optional<ranking::Column> column_of_source(std::string_view source) {
  if (source == "popularity") return ranking::kLogRecent;
  if (source == "item-to-item") return ranking::kAffinitySum;
  if (source == "content") return ranking::kTextMean;
  if (source == "sasrec") return ranking::kSequenceScore;
  return std::nullopt;
}

}  // namespace podium::funnel
