// The options of the shop simulator.
#pragma once

#include <cstdint>

namespace podium::data {

struct SimulateOptions {
  int64_t users = 2000;
  int64_t items = 1500;
  int days = 365;
  int slate_size = 10;
  int64_t seed = 1;
  double sessions_per_month = 3;
  double position_bias = 0.6;
  double drift = 1;
  bool tiring = false;
  bool impressions = true;
  template <class V>
  void visit(V& v) {
    v("users", users, "people who visit; those who never click leave no trace in the dataset");
    v("items", items, "size of the catalogue on the last day");
    v("days", days, "days that the shop is open, from Monday, 1 January 2024");
    v("slate_size", slate_size, "items shown at once, 1 to 100");
    v("seed", seed, "random seed: the same options and seed give the same bytes");
    v("sessions_per_month", sessions_per_month, "visits a month of the median user");
    v("position_bias", position_bias,
      "a user examines position p with probability p^-position_bias; 0: looks at all");
    v("drift", drift, "speed at which tastes change; 0: never, 1: an interest lasts 120 days");
    v("tiring", tiring,
      "users tire of more of one category in a slate, and look less far down, each in his own way");
    v("impressions", impressions, "also write every slate shown, with its clicks");
  }
};

}  // namespace podium::data
