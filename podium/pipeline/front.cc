#include "podium/pipeline/front.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <span>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/rng.h"
#include "podium/data/simulated_clicks.h"
#include "podium/eval/results.h"
#include "podium/funnel/upstream_fit.h"
#include "podium/pipeline/pipeline.h"
#include "podium/pipeline/stages.h"
#include "podium/policy/diversify.h"
#include "podium/rerank/run_facts.h"
#include "podium/rerank/traces.h"

namespace podium::pipeline {
namespace {

using data::ItemIndex;
using rerank::Slate;
// order[r] = candidate at rank r, of the slate of target t.
using Ordering = std::function<std::vector<int>(size_t t)>;

std::vector<ItemIndex> items_of(const Slate& slate) {
  std::vector<ItemIndex> items;
  for (const auto& candidate : slate.candidates) items.push_back(candidate.item);
  return items;
}

// The ranker's, whosever order the slate is in.
std::vector<float> relevances_of(const Slate& slate, bool ranker_is_upstream) {
  std::vector<float> scores;
  for (const auto& candidate : slate.candidates) {
    scores.push_back(ranker_is_upstream ? candidate.upstream_score : candidate.ranker_score);
  }
  return scores;
}

std::vector<int> as_given(const Slate& slate) {
  std::vector<int> order(slate.candidates.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

// Candidates in the order of a saved list; those after its end keep theirs.
std::vector<int> order_of_list(const Slate& slate, const std::vector<ItemIndex>& list) {
  std::vector<int> order = as_given(slate);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    const auto place = [&](int i) {
      return std::find(list.begin(), list.end(), slate.candidates[size_t(i)].item) - list.begin();
    };
    return place(a) < place(b);
  });
  return order;
}

// What a front is made of; must outlive its maker.
struct FrontWorld {
  const data::ItemFacts& facts;
  const data::Phase& phase;
  const std::vector<Slate>& slates;                    // [targets]
  const std::optional<data::SimulatedClicks>& clicks;  // where users are simulated
  bool ranker_is_upstream;
};

class FrontMaker {
 public:
  FrontMaker(const FrontWorld& world, const FrontRequest& request)
      : world_(world), request_(request) {
    for (size_t t = 0; t < world.slates.size(); ++t) {
      if (world.slates[t].can_be_ranked()) ranked_.push_back(t);
    }
    if (ranked_.empty()) {
      throw Error("no slate holds both a positive and a negative candidate",
                  "take another split, or raise the run's k", request.run.string());
    }
    front_ = {request.split, ranked_.size(), request.at, {}};
  }

  void add(const std::string& name, double trade, const Ordering& ordering) {
    std::vector<eval::ListMetrics> all(ranked_.size());
    std::vector<double> clicks(world_.clicks ? ranked_.size() : 0);
    parallel_for(request_.threads, ranked_.size(), 64, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const size_t t = ranked_[i];
        const Slate slate = rerank::as_shown(world_.slates[t], ordering(t));
        const auto items = items_of(slate);
        all[i] = eval::list_metrics(world_.facts, items, gains_of(slate), request_.at);
        if (!world_.clicks) continue;
        clicks[i] =
            world_.clicks->expected(t, std::span(items).first(std::min(request_.at, items.size())));
      }
    });
    eval::FrontPoint point{.order = name, .trade = trade, .mean = eval::mean_of(all)};
    if (world_.clicks) {
      point.clicks = std::accumulate(clicks.begin(), clicks.end(), 0.0) / double(clicks.size());
    }
    front_.points.push_back(std::move(point));
    clicks_.push_back(std::move(clicks));
  }

  // The order as it came, that of the ranker where it is another, and variety over the ranker's.
  void add_classics() {
    add("upstream", eval::kNoTrade, [&](size_t t) { return as_given(world_.slates[t]); });
    if (!world_.ranker_is_upstream) {
      add("trees", eval::kNoTrade, [&](size_t t) { return spread(policy::mmr_order, t, 0); });
    }
    add_grid("mmr", policy::mmr_order);
    add_grid("dpp", policy::dpp_order);
  }

  void add_policies() {
    const size_t others = front_.points.size();
    for (const fs::path& file : result_files(request_.run, request_.split)) {
      for (const eval::StageResult& stage : eval::read_results(file).stages) {
        const auto& lists = stage.lists;
        if (!stage.stage.starts_with("gr2") || lists.size() != world_.slates.size()) continue;
        add(stage.stage, eval::kNoTrade,
            [&](size_t t) { return order_of_list(world_.slates[t], lists[t]); });
      }
    }
    if (!world_.clicks) return;
    const auto best =
        std::max_element(front_.points.begin(), front_.points.begin() + std::ptrdiff_t(others),
                         [](const auto& a, const auto& b) { return a.clicks < b.clicks; });
    for (size_t i = others; i < front_.points.size(); ++i) {
      front_.points[i].clicks_gain = gain_over(size_t(best - front_.points.begin()), i);
    }
    add("best, knows the user", eval::kNoTrade,
        [&](size_t t) { return order_of_list(world_.slates[t], world_.clicks->best(t)); });
  }

  eval::Front take() { return std::move(front_); }

 private:
  using Diversifier = decltype(policy::mmr_order);

  std::vector<int> spread(Diversifier* order, size_t t, double trade) const {
    const Slate& slate = world_.slates[t];
    return order(world_.facts, items_of(slate), relevances_of(slate, world_.ranker_is_upstream),
                 trade);
  }

  // mmr_order or dpp_order at trades 0.1 .. 0.9.
  void add_grid(const std::string& name, Diversifier* order) {
    for (int tenth = 1; tenth < 10; ++tenth) {
      const double trade = tenth / 10.0;
      add(name, trade, [&](size_t t) { return spread(order, t, trade); });
    }
  }

  // How many more clicks a slate point `other` gets than `base`, users resampled.
  eval::Estimate gain_over(size_t base, size_t other) const {
    std::map<data::UserIndex, std::pair<double, double>> sums;  // of differences, of slates
    for (size_t i = 0; i < ranked_.size(); ++i) {
      auto& [sum, count] = sums[world_.phase.targets[ranked_[i]].user];
      sum += clicks_[other][i] - clicks_[base][i];
      count += 1;
    }
    std::vector<uint32_t> weight(sums.size(), 1);
    const auto mean = [&] {
      double sum = 0, count = 0;
      size_t unit = 0;
      for (const auto& [user, of_user] : sums) {
        sum += weight[unit] * of_user.first;
        count += weight[unit++] * of_user.second;
      }
      return sum / count;
    };
    const double exact = mean();
    std::vector<double> drawn;
    const Rng root = Rng(1).fork("clicks");
    for (uint64_t b = 0; b < kResamples; ++b) {
      eval::resample(root.fork(b), weight);
      drawn.push_back(mean());
    }
    return eval::estimate(exact, std::move(drawn));
  }

  static constexpr uint64_t kResamples = 1000;

  const FrontWorld& world_;
  const FrontRequest& request_;
  std::vector<size_t> ranked_;               // slates that are measured
  std::vector<std::vector<double>> clicks_;  // [points][ranked], where users are simulated
  eval::Front front_;
};

}  // namespace

eval::Front diversity_front(const data::Dataset& dataset, const FrontRequest& request) {
  const fs::path stages = request.run / "stages";
  const PipelineOptions options = options_of_run(request.run);
  const data::Split split = data::make_split(dataset, options.split);
  const data::Phase& phase = data::phase_of(split, request.split);
  const auto slates =
      funnel::slates_by_target(stages / "upstream" / "slates" / request.split, phase);
  const rerank::RunFacts known(phase.fit, stages / "sid");
  const auto clicks = data::SimulatedClicks::of(dataset, phase);
  const FrontWorld world{known.facts, phase, slates, clicks,
                         options.upstream.order == funnel::kRankerOrder};
  FrontMaker maker(world, request);
  maker.add_classics();
  maker.add_policies();
  return maker.take();
}

}  // namespace podium::pipeline
