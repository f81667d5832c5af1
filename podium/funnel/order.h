// Whose order a slate arrives in: that of the trained ranker, of a single source, or the one in
// which a shop showed its items. The policy improves this order; the ranker, given the same lists,
// is what it is compared with.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "podium/ranking/features.h"

namespace podium::funnel {

inline constexpr const char* kRankerOrder = "ranker";  // the trees', over the blend of all sources
inline constexpr const char* kShownOrder = "shown";    // as the candidates were given

// Candidates that were retrieved or given, and their features.
struct Described {
  std::vector<retrieval::Blended> candidates;
  std::vector<float> rows;    // [candidates, features]
  size_t blended = SIZE_MAX;  // the candidates from here on come after all others
};

struct Arrangement {
  std::vector<size_t> order;  // of candidates, best first; those that are not listed are left out
  std::vector<float> score;   // [order], never rising
};

// The one rule of order, for training and serving: descending score, ties as they stand; NaN last.
std::vector<size_t> order_by(std::span<const float> scores);

// What the sources found, in the order of the ranker's scores [candidates]; or only what the source
// named `order` found, in its order. All orders but the ranker's are scored -log2(1 + rank), rank
// from 0. Where nobody has shown anything, the ranker's order stands for kShownOrder.
Arrangement arrange_found(const std::string& order, const retrieval::Sources& sources,
                          const Described& found, std::span<const float> scores);

// All of the candidates that somebody gave: as they stand (kShownOrder), by the ranker's scores, or
// by what the source says of each, wherever it ranks.
Arrangement arrange_given(const std::string& order, const ranking::Features& features,
                          const Described& given, std::span<const float> scores);

// The feature by which a source orders candidates that it did not find itself; nullopt for further
// sources.
std::optional<ranking::Column> column_of_source(std::string_view source);

}  // namespace podium::funnel
