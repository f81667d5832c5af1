// Which events a model may see and which it is asked for. Both protocols of the literature in one
// form, so that everything downstream is written once.
//
//   phase   leave-one-out (a user of n events)          global time t0 < t1 < t2
//   slates  fit on [0, n-2-m), asked for [n-2-m, n-2)   fit before t0, asked for [t0, t1)
//   valid   fit on [0, n-2), asked for event n-2        fit before t1, asked for [t1, t2)
//   test    fit on [0, n-1), asked for event n-1        fit before t2, asked for [t2, end)
//
// m = slate_targets, at most half of the user's first n-2 events, and 1 by default.
//
// With baskets, a user's events of one time are one target, with several answers; leave-one-out
// then counts baskets where it says events.
//
// Protocol "impressions" asks for what users clicked of the slates that they were shown
// (impressions.h); t0 < t1 < t2 are shares of the slates by time:
//
//   slates  fit on events before the first slate of [t0, t1), asked for the clicks of these
//   valid   ... [t1, t2)          test   ... [t2, end)
//
// "slates" trains the ranker (cross-fitted) and the re-ranking policy on events that the retrievers
// of that phase have not seen; "valid" tunes; "test" is read once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "podium/data/dataset.h"
#include "podium/data/impressions.h"

namespace podium::data {

// The first length[u] events of every user: all that a model of this phase may be fitted on.
struct View {
  const Dataset* dataset = nullptr;
  std::vector<uint32_t> length;  // [users]

  std::span<const ItemIndex> items_of(UserIndex user) const {
    return dataset->items_of(user).first(length[user]);
  }
  std::span<const int64_t> times_of(UserIndex user) const {
    return dataset->times_of(user).first(length[user]);
  }
  std::span<const float> ratings_of(UserIndex user) const {
    return dataset->ratings_of(user).first(length[user]);
  }
  uint64_t events() const;
};

// One event to predict, or one basket, or one slate. Its history is the user's first `position`
// events.
struct Target {
  UserIndex user;
  uint32_t position;

  bool operator==(const Target&) const = default;
};

struct Phase {
  std::string name;  // "slates", "valid", "test"
  View fit;
  std::vector<Target> targets;  // by user, then position; history never empty
  // With baskets only: the events of each target, from `position` on.
  std::vector<uint32_t> basket = {};  // [targets]
  // Protocol "impressions" only: the slate that each target was shown.
  std::shared_ptr<const Impressions> impressions = nullptr;
  std::vector<uint64_t> shown = {};  // [targets]
  // What a target counts, 1 on average: a click from a place that few look at counts for those who
  // did not look (by_impressions). Empty: all the same.
  std::vector<float> weights = {};  // [targets]

  // What the user chose: the event's item, the items of the basket, or the clicked items of the
  // slate, perhaps none.
  std::vector<ItemIndex> answers(size_t target) const;
  int64_t time(size_t target) const;  // of the event or the slate
  bool by_baskets() const { return !basket.empty(); }
  // "USER@EVENTS BEFORE IT", or "USER#SLATE" of one that was shown.
  std::string slate_id(size_t target) const;
  float weight(size_t target) const { return weights.empty() ? 1.0F : weights[target]; }
  // Targets that an event stands for; all but those after whose slate the user did nothing.
  std::vector<Target> next_events() const;
  // The phase that asks for these events, whatever slates they were chosen from; one of events or
  // baskets as it is.
  Phase by_events() const;
};

// Targets of which the user already has all answers. Linear in the events.
size_t seen_targets(const Phase& phase);

struct Split {
  Phase slates, valid, test;
};

// slate_targets: events (baskets) asked for per user in phase slates, at least 1.
Split leave_one_out(const Dataset& dataset, uint32_t slate_targets = 1, bool baskets = false);

// Shares of events by time, e.g. .7, .8, .9 of all events lie before t0, t1, t2 (events with a
// border's own time fall behind it).
Split global_time(const Dataset& dataset, double before_t0, double before_t1, double before_t2,
                  bool baskets = false);

// Shares of slates by time; before_t0 may be 0. Slates of users without an event before them, of
// fewer than two items or with no click are left out. Throws Error when a phase has none.
//
// position_bias: users look at place p (from 1) with chance p^-position_bias, as in simulate.h.
// Where the log tells a propensity (impressions.h), that is the chance instead. A slate is weighed
// by 1 / the chance (inverse propensity: Joachims et al., 2017), at most kMostWeight, the mean over
// its clicks. 0, and no propensity: all slates count the same.
inline constexpr double kMostWeight = 10;
struct ImpressionBorders {
  double before_t0, before_t1, before_t2;
  double position_bias = 0;
};
Split by_impressions(const Dataset& dataset, std::shared_ptr<const Impressions> impressions,
                     const ImpressionBorders& borders);

}  // namespace podium::data
