#include "podium/pipeline/front.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/eval/results.h"
#include "podium/funnel/upstream_fit.h"
#include "podium/pipeline/pipeline.h"
#include "podium/pipeline/stages.h"
#include "podium/policy/diversify.h"
#include "podium/rerank/run_facts.h"

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

std::vector<float> scores_of(const Slate& slate) {
  std::vector<float> scores;
  for (const auto& candidate : slate.candidates) scores.push_back(candidate.upstream_score);
  return scores;
}

// Candidates in the order of a saved list; those after its end keep theirs.
std::vector<int> order_of_list(const Slate& slate, const std::vector<ItemIndex>& list) {
  std::vector<int> order(slate.candidates.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    const auto place = [&](int i) {
      return std::find(list.begin(), list.end(), slate.candidates[size_t(i)].item) - list.begin();
    };
    return place(a) < place(b);
  });
  return order;
}

class FrontMaker {
 public:
  FrontMaker(const data::ItemFacts& facts, const std::vector<Slate>& slates,
             const FrontRequest& request)
      : facts_(facts), slates_(slates), request_(request) {
    for (size_t t = 0; t < slates.size(); ++t) {
      if (slates[t].can_be_ranked()) ranked_.push_back(t);
    }
    if (ranked_.empty()) {
      throw Error("no slate holds both a positive and a negative candidate",
                  "take another split, or raise the run's k", request.run.string());
    }
    front_ = {request.split, ranked_.size(), request.at, {}};
  }

  void add(const std::string& name, double trade, const Ordering& ordering) {
    std::vector<eval::ListMetrics> all(ranked_.size());
    parallel_for(request_.threads, ranked_.size(), 64, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) all[i] = measured(ranked_[i], ordering(ranked_[i]));
    });
    front_.points.push_back({name, trade, eval::mean_of(all)});
  }

  // mmr_order or dpp_order at trades 0.1 .. 0.9.
  void add_grid(const std::string& name, decltype(policy::mmr_order)* order) {
    for (int tenth = 1; tenth < 10; ++tenth) {
      const double trade = tenth / 10.0;
      add(name, trade, [&](size_t t) {
        return order(facts_, items_of(slates_[t]), scores_of(slates_[t]), trade);
      });
    }
  }

  void add_policies() {
    for (const fs::path& file : result_files(request_.run, request_.split)) {
      for (const eval::StageResult& stage : eval::read_results(file).stages) {
        if (!stage.stage.starts_with("gr2") || stage.lists.size() != slates_.size()) continue;
        add(stage.stage, eval::kNoTrade,
            [&](size_t t) { return order_of_list(slates_[t], stage.lists[t]); });
      }
    }
  }

  eval::Front take() { return std::move(front_); }

 private:
  eval::ListMetrics measured(size_t t, const std::vector<int>& order) const {
    std::vector<ItemIndex> items;
    std::vector<uint8_t> gains;
    for (const int position : order) {
      items.push_back(slates_[t].candidates[size_t(position)].item);
      gains.push_back(slates_[t].candidates[size_t(position)].gain);
    }
    return eval::list_metrics(facts_, items, gains, request_.at);
  }

  const data::ItemFacts& facts_;
  const std::vector<Slate>& slates_;
  const FrontRequest& request_;
  std::vector<size_t> ranked_;  // slates that are measured
  eval::Front front_;
};

}  // namespace

eval::Front diversity_front(const data::Dataset& dataset, const FrontRequest& request) {
  const fs::path stages = request.run / "stages";
  const data::Split split = data::make_split(dataset, options_of_run(request.run).split);
  const data::Phase& phase = data::phase_of(split, request.split);
  const auto slates =
      funnel::slates_by_target(stages / "upstream" / "slates" / request.split, dataset, phase);
  const rerank::RunFacts known(phase.fit, stages / "sid");
  FrontMaker maker(known.facts, slates, request);
  maker.add("upstream", eval::kNoTrade, [&](size_t t) {
    std::vector<int> order(slates[t].candidates.size());
    std::iota(order.begin(), order.end(), 0);
    return order;
  });
  maker.add_grid("mmr", policy::mmr_order);
  maker.add_grid("dpp", policy::dpp_order);
  maker.add_policies();
  return maker.take();
}

}  // namespace podium::pipeline
