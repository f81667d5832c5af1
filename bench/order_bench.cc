// How much the order of a slate is worth where users tire of more of the same (data/click_model.h):
// expected clicks a slate under the true model, so without noise. MMR and DPP know the true
// relevances and the categories; nobody but the last knows how fast the user tires.
//
//   order_bench [--users 3000] [--items 1500] [--seed 1]
#include <fmt/format.h>

#include <numeric>

#include "bench/measure.h"
#include "podium/data/simulate.h"
#include "podium/policy/diversify.h"

namespace podium::bench {
namespace {

struct Row {
  std::string order;
  double clicks = 0;  // sum over slates
};

// Nothing but the categories: similarity is 1 within one, else 0.
data::ItemFacts categories_of(const data::Shop& shop) {
  data::ItemFacts facts;
  for (uint32_t i = 0; i < shop.size(); ++i) facts.categories.push_back({shop.item(i).category});
  return facts;
}

class Comparison {
 public:
  explicit Comparison(const data::Shop& shop) : facts_(categories_of(shop)) {
    for (const char* name : {"as shown, by chance", "by relevance"}) rows_.push_back({name});
    for (const char* name : {"mmr", "dpp"}) {
      for (int tenth = 1; tenth < 10; ++tenth) {
        rows_.push_back({fmt::format("{} {:.1f}", name, tenth / 10.0)});
      }
    }
    rows_.push_back({"greedy, knows the user"});
  }

  void add(const data::ShownSlate& slate) {
    const data::ClickModel& model = slate.model;
    const std::vector<float> liked(model.liked.begin(), model.liked.end());
    std::vector<int> shown(liked.size());
    std::iota(shown.begin(), shown.end(), 0);
    size_t row = 0;
    const auto count = [&](const std::vector<int>& order) {
      rows_[row++].clicks += data::expected_clicks(model, order);
    };
    count(shown);
    count(policy::mmr_order(facts_, slate.items, liked, 0));
    for (const auto& order : {policy::mmr_order, policy::dpp_order}) {
      for (int tenth = 1; tenth < 10; ++tenth) {
        count(order(facts_, slate.items, liked, tenth / 10.0));
      }
    }
    count(data::best_order(model));
    ++slates_;
  }

  void print() const {
    const auto n = double(slates_);
    const double shown = rows_.front().clicks / n, best = rows_.back().clicks / n;
    fmt::print("{} slates\n{:<24} {:>8} {:>14}\n", slates_, "order", "clicks", "share of room");
    for (const Row& row : rows_) {
      const double clicks = row.clicks / n;
      fmt::print("{:<24} {:>8.4f} {:>14.3f}\n", row.order, clicks,
                 (clicks - shown) / (best - shown));
    }
  }

 private:
  data::ItemFacts facts_;
  std::vector<Row> rows_;
  size_t slates_ = 0;
};

int run(int argc, char** argv) {
  data::SimulateOptions options;
  options.users = argument(argc, argv, "users", 3000);
  options.items = argument(argc, argv, "items", 1500);
  options.seed = argument(argc, argv, "seed", 1);
  options.tiring = true;
  const data::Shop shop(options);
  Comparison comparison(shop);
  for (uint64_t user = 0; user < uint64_t(options.users); ++user) {
    data::simulate_user(shop, options, user,
                        [&](const data::ShownSlate& slate) { comparison.add(slate); });
  }
  comparison.print();
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
