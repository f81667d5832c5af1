// Features of a candidate for the ranker: one piece of code for training and serving.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "podium/data/dataset.h"
#include "podium/retrieval/blend.h"

namespace podium::ranking {

using data::ItemIndex;

// Named columns after the sources' scores and ranks.
enum Column : uint8_t {
  kNextLast,  // times the candidate followed the last item directly
  kNearLast,  // times it stood near the last item
  kNearLag2,  // ... the one before
  kNearLag3,
  kAffinitySum,  // normalised co-visitation with the last 10, decayed by .8 a place
  kAffinityMax,
  kTextLast,  // content similarity to the last item
  kTextMean,  // to the mean of the last 5
  kTextMax,   // the highest with any of the last 10
  kTextLag2,  // to the one before the last, and so on; 0 where the history is shorter
  kTextLag10 = kTextLag2 + 8,
  kSequenceScore,  // SASRec's, for every candidate; NaN without SASRec
  kLogCount,       // log(1 + events)
  kLogRecent,      // log(1 + decayed events)
  kBrandLast,      // same brand as the last item
  kBrandCount,     // history items of its brand
  kCategoryLast,   // categories shared with the last item
  kCategoryCount,  // of the last 5 items, those with its most special category
  kPriceRatio,     // log(price / mean price of the last 5); NaN when unknown
  kHistoryLength,  // log(1 + events)
  kIdleDays,       // log(1 + days since the last event)
  kColumns
};

// After these, under SeenRule::kDecay only (their absence keeps other rankers as they are).
enum RepeatColumn : uint8_t {
  kTimesHad,      // log(1 + events of the user with the candidate)
  kDaysSinceHad,  // log(1 + days since the last of them), NaN when never
  kRepeatColumns
};

// Holds references; immutable and thread-safe. All statistics come from the sources, so a feature
// knows what the sources were fitted on and nothing later.
class Features {
 public:
  Features(const data::Dataset& dataset, const retrieval::Sources& sources);

  size_t count() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  size_t column(Column column) const { return first_ + column; }

  // out [candidates, count()], row-major; absent values are NaN. Of an added item (retriever.h)
  // what events would say is 0, as of a trained item without events; SASRec's score is absent where
  // it reads no text.
  void compute(const retrieval::Query& query, const std::vector<retrieval::Blended>& candidates,
               float* out) const;

 private:
  struct Context;
  struct Facts;
  std::vector<std::vector<float>> scores_of_all(
      const retrieval::Query& query, const std::vector<retrieval::Blended>& candidates) const;
  Facts facts_of(const retrieval::Query& query, ItemIndex item) const;
  void fill(const retrieval::Query& query, const Context& context, const Facts& facts,
            float* row) const;
  static void fill_repeats(const retrieval::Query& query, const Context& context, ItemIndex item,
                           float* row);
  void fill_history(const Context& context, const Facts& facts, float* row) const;

  const data::Dataset& dataset_;
  const retrieval::Sources& sources_;
  size_t first_;  // columns of the sources come first
  std::vector<std::string> names_;
  std::vector<std::vector<uint32_t>> categories_;  // [items], numbers, general to special
  std::vector<uint32_t> brand_;                    // [items], 0: unknown
  std::map<std::string_view, uint32_t> category_number_, brand_number_;
};

}  // namespace podium::ranking
