// The options that choose a split, and the split they choose.
#pragma once

#include <algorithm>
#include <string>

#include "podium/base/error.h"
#include "podium/base/option_range.h"
#include "podium/data/split.h"

namespace podium::data {

// How events are divided into phases.
struct SplitOptions {
  std::string protocol = "leave-one-out";  // or "global-time", "impressions"
  bool baskets = false;
  int slate_targets = 1;
  double before_t0 = 0.7, before_t1 = 0.8, before_t2 = 0.9;
  double position_bias = 0;
  template <class V>
  void visit(V& v) {
    v("protocol", protocol, "how events are divided into phases",
      one_of({"leave-one-out", "global-time", "impressions"}));
    v("baskets", baskets,
      "what a user did at one time is predicted as a whole, from what came before: one target of "
      "several answers (not for impressions)");
    v("slate_targets", slate_targets,
      "leave-one-out: events a user that rankers and policies train on (at most half of them)",
      between(1, 1000));
    v("before_t0", before_t0,
      "global-time: share of events (impressions: of slates) before the slates phase's targets",
      between(0, 0.999));
    v("before_t1", before_t1, "the same before the validation targets", between(0.001, 0.999));
    v("before_t2", before_t2, "the same before the test targets", between(0.001, 0.999));
    v("position_bias", position_bias,
      "impressions: users looked at place p with chance p^-position_bias; clicks from low places "
      "count for more, in training and in the report's metrics; 0: they looked at all. Logged "
      "propensities go before it",
      between(0, 10));
    v.rule([this] { return before_t0 < before_t1 && before_t1 < before_t2; },
           "before_t0, before_t1, before_t2 must ascend");
    v.rule([this] { return !baskets || protocol != "impressions"; },
           "split.baskets: impressions are slates already, use leave-one-out or global-time");
  }
};

// Throws Error on an unknown protocol.
inline Split make_split(const Dataset& dataset, const SplitOptions& options) {
  if (options.protocol == "leave-one-out") {
    return leave_one_out(dataset, uint32_t(std::max(1, options.slate_targets)), options.baskets);
  }
  if (options.protocol == "global-time") {
    return global_time(dataset, options.before_t0, options.before_t1, options.before_t2,
                       options.baskets);
  }
  if (options.protocol == "impressions") {
    return by_impressions(
        dataset, impressions_of(dataset),
        {options.before_t0, options.before_t1, options.before_t2, options.position_bias});
  }
  throw Error("unknown split protocol '" + options.protocol + "'",
              "use leave-one-out, global-time or impressions");
}

inline const Phase& phase_of(const Split& split, const std::string& name) {
  for (const Phase* phase : {&split.slates, &split.valid, &split.test}) {
    if (phase->name == name) return *phase;
  }
  throw Error("unknown phase '" + name + "'", "use slates, valid or test");
}

}  // namespace podium::data
