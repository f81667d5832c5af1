// What values an option takes, said in its declaration:
//
//   v("rounds", rounds, "boosting rounds at most", at_least(1));
//
// Without one an option takes every finite number, every text.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace podium {

struct OptionRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;  // the end itself is excluded
  std::vector<std::string> choices;          // of a text; empty: any

  bool holds(double value) const;  // false for what is not finite
  bool holds(const std::string& value) const;
  // "at least 1", "a positive number", "0 to 1", "0 to less than 1", "auc or ndcg"; "" for any.
  std::string text() const;
};

OptionRange at_least(double low);
OptionRange more_than(double low);
OptionRange between(double low, double high);  // both ends included
OptionRange below(double low, double high);    // low <= value < high
OptionRange one_of(std::vector<std::string> choices);

}  // namespace podium
