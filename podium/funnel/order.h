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
// That of the mid-trained policy's beam search, which is asked before the upstream is fitted.
inline constexpr const char* kGenerativeOrder = "generative";
// No source of the funnel's lists these: where nobody gives a list, the ranker's order stands.
bool is_given(const std::string& order);

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

// Keeps `places` of the first kFirst for items that the source `new-items` has found: where fewer
// stand there, the next ones in order take the last of these places, and known items leave. Scores
// stay with the places. Exploration that a shop owes its new items: accuracy pays for it.
inline constexpr size_t kFirst = 10;
void keep_new_places(size_t places, const retrieval::Sources& sources, const Described& found,
                     Arrangement& arrangement);

// What the sources found, in the order of the ranker's scores [candidates], with new_places kept;
// or only what the source named `order` found, in its order. All orders but the ranker's are scored
// -log2(1 + rank), rank from 0. For an order that is given, the ranker's stands.
Arrangement arrange_found(const std::string& order, size_t new_places,
                          const retrieval::Sources& sources, const Described& found,
                          std::span<const float> scores);

// All of the candidates that somebody gave: as they stand (an order that is given), by the ranker's
// scores, or by what the source says of each, wherever it ranks.
Arrangement arrange_given(const std::string& order, const ranking::Features& features,
                          const Described& given, std::span<const float> scores);

// Candidates as they are listed.
Arrangement arrange_listed(std::vector<size_t> order);

// The feature by which a source orders candidates that it did not find itself; nullopt for further
// sources.
std::optional<ranking::Column> column_of_source(std::string_view source);

}  // namespace podium::funnel
