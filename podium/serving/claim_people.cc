#include "podium/serving/claim_people.h"

#include <algorithm>

namespace podium::serving {

bool ClaimPeople::counts(data::UserIndex user) const {
  const auto [known, first] = erased_.try_emplace(user);
  if (first) known->second = data_.state.erased(data_.dataset.user_id(user));
  return !known->second;
}

size_t ClaimPeople::both(data::ItemIndex a, data::ItemIndex b) const {
  const auto of_a = index_.takers(a), of_b = index_.takers(b);
  size_t count = 0;
  for (auto x = of_a.begin(), y = of_b.begin(); x != of_a.end() && y != of_b.end();) {
    if (x->user < y->user) {
      ++x;
    } else if (y->user < x->user) {
      ++y;
    } else {
      count += counts(x->user) ? 1 : 0;
      ++x, ++y;
    }
  }
  return count;
}

size_t ClaimPeople::takers(data::ItemIndex item, const std::optional<Day>& since) const {
  return size_t(std::ranges::count_if(index_.takers(item), [&](const Taker& taker) {
    return (!since || taker.last >= *since) && counts(taker.user);
  }));
}

}  // namespace podium::serving
