// Rules on the answer of a recommender.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "podium/policy/apply.h"
#include "podium/serve/service.h"

namespace podium::serve {

// What rules are told beside the request of the recommender.
struct RulesRequest {
  size_t k = 10;
  std::map<std::string, std::string, std::less<>> context;  // such as region
  uint64_t seed = 0;
};

uint64_t next_seed();  // of a request; none like it was told before

// With rules the recommender is asked for more items than are to be shown.
size_t asked_for(const policy::Rules& rules, size_t k);

// What exploration learns from impressions; empty where the rules do not ask for it, or where none
// is known.
struct Learnt {
  std::vector<policy::BetaCounts> counts;  // [items]; Thompson: chances start even, Beta(1, 1)
  std::vector<double> features;            // [items]; LinUCB: one feature, which is always 1,
  std::vector<policy::RidgeState> states;  // [items]: so an item's own rate, ridge 1

  policy::LinearState linear() const { return {features.empty() ? 0U : 1U, features, states}; }
};
Learnt learnt_from(const policy::Rules& rules, std::span<const serving::ShownCounts> shown);

// items: the recommender's, best first; of them at most k stay, in the rules' order. A score is the
// place: rules weigh places, which mean the same under every bundle. Fields of an item: what the
// catalogue tells (id, title, brand, description, categories, price), `events` in training,
// `origin` ("trained" or "live"), and whatever `fields` it was put with.
policy::Outcome apply_rules(const policy::Rules& rules, const RulesRequest& request,
                            const serving::Recommender& recommender, const std::string& user,
                            const std::vector<std::string>& history,
                            const std::vector<serving::AnswerItem>& items);

}  // namespace podium::serve
