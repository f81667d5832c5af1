// How many people took an item, or two, as claims are looked for.
#pragma once

#include <optional>
#include <unordered_map>

#include "podium/serving/claim_data.h"
#include "podium/serving/claim_index.h"

namespace podium::serving {

// Of the training log, without erased users. For one thread.
class ClaimPeople {
 public:
  // Both must outlive it.
  ClaimPeople(const ClaimData& data, const ClaimIndex& index) : data_(data), index_(index) {}

  size_t both(data::ItemIndex a, data::ItemIndex b) const;
  // With a day: whose last time was then or later.
  size_t takers(data::ItemIndex item, const std::optional<Day>& since = {}) const;

 private:
  bool counts(data::UserIndex user) const;

  const ClaimData& data_;
  const ClaimIndex& index_;
  mutable std::unordered_map<data::UserIndex, bool> erased_;  // as far as it was asked
};

}  // namespace podium::serving
