// How a simulated user answers one slate, in whatever order it is shown:
//
//   P(click on item i at position p) = examined[p] x liked[i] x exp(-fatigue x n)
//
// n = earlier positions that hold an item of i's category. Clicks are independent, so that the
// expected clicks of any order are known without drawing one. (Diminishing returns of more of the
// same: Agrawal et al., 2009; examination by position: Craswell et al., 2008.)
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace podium::data {

struct ClickModel {
  std::vector<double> examined;    // [positions] P(the position is looked at), never rising
  double fatigue = 0;              // 0: more of one category is as welcome as the first
  std::vector<double> liked;       // [items <= positions] P(click | looked at, not tired)
  std::vector<uint32_t> category;  // [items]
};

// [order] P(click) at each position. order: distinct items of the model; may leave some out.
std::vector<double> click_chances(const ClickModel& model, std::span<const int> order);

// Their sum.
double expected_clicks(const ClickModel& model, std::span<const int> order);

// At each position the item that is likeliest to be clicked there, ties as they stand: what an
// order can reach when the user is known. Optimal without fatigue; with it a very good order.
std::vector<int> best_order(const ClickModel& model);

}  // namespace podium::data
