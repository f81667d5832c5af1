// What claims are looked for with: who took a trained item, and what many items of the catalogue
// have in common, which is no reason for any of them.
#pragma once

#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "podium/data/dataset.h"
#include "podium/serving/claim.h"

namespace podium::serving {

struct Taker {
  data::UserIndex user;
  int32_t last;  // day
};

// Immutable and thread-safe. Eight bytes for each user and item that came together.
class ClaimIndex {
 public:
  explicit ClaimIndex(const data::Dataset& dataset);

  // Each user once, in ascending order.
  std::span<const Taker> takers(data::ItemIndex item) const {
    return {takers_.data() + begin_[item], begin_[item + 1] - begin_[item]};
  }
  // A word of titles that tells an item from others: of four letters or more, and in at most one of
  // 50 of the titles.
  bool telling_word(const std::string& word) const;
  // Whether at most a third of the items are of it.
  bool telling_category(const std::string& category) const {
    return !common_categories_.contains(category);
  }

 private:
  std::vector<size_t> begin_;  // [items + 1]
  std::vector<Taker> takers_;
  std::unordered_set<std::string> common_words_, common_categories_;
};

}  // namespace podium::serving
