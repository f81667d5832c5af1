// Boosted trees by XGBoost on gradients of our own (gradients.h): the upstream's ranker and the
// legacy re-ranker that GR2 has to beat.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/option_range.h"
#include "podium/ranking/forest.h"
#include "podium/ranking/ranking_data.h"

namespace podium::ranking {

struct RankerOptions {
  std::string loss = "softmax";
  int rounds = 300;
  int patience = 40;  // rounds without a better NDCG@10 on held-out groups
  double learning_rate = 0.08;
  int max_depth = 6;
  double min_child_weight = 5;
  double row_share = 0.8, column_share = 0.7;
  int negatives = 60;  // candidates kept a group beside the positive
  template <class V>
  void visit(V& v) {
    v("loss", loss,
      "what the trees are fitted to: softmax, the chance of the positives among a group's "
      "candidates, or lambda, LambdaMART",
      one_of({"softmax", "lambda"}));
    v("rounds", rounds, "boosting rounds at most", between(1, 100000));
    v("patience", patience, "rounds without gain on held-out users before stopping",
      between(0, 100000));
    v("learning_rate", learning_rate, "shrinkage of each tree", between(1e-6, 1));
    v("max_depth", max_depth, "depth of a tree", between(1, 16));
    v("min_child_weight", min_child_weight, "least weight of a leaf", between(0, 1000000));
    v("row_share", row_share, "share of rows drawn a tree", between(0.001, 1));
    v("column_share", column_share, "share of features drawn a tree", between(0.001, 1));
    v("negatives", negatives, "candidates kept a training group beside the positive",
      between(1, 1000000));
  }
};

// Immutable and thread-safe once trained (XGBoost's prediction on dense rows is). XGBoost trains;
// its trees are asked by forest.h.
class Ranker {
 public:
  // names: of the features. Every tenth user is held out to stop early.
  static Ranker train(const RankingData& data, const std::vector<std::string>& names,
                      const RankerOptions& options, uint64_t seed, int threads);
  static Ranker load(const fs::path& file);  // throws Error on a damaged file
  void save(const fs::path& file) const;
  Ranker(Ranker&&) noexcept;
  Ranker& operator=(Ranker&&) noexcept;
  ~Ranker();

  std::vector<float> predict(const float* rows, size_t count, size_t features) const;
  std::vector<float> predict_by_xgboost(const float* rows, size_t count, size_t features) const;
  // Total gain a feature, by "fN" number.
  std::vector<std::pair<std::string, float>> gains() const;

 private:
  struct Booster;
  explicit Ranker(std::unique_ptr<Booster> booster);
  std::unique_ptr<Booster> booster_;
  Forest forest_;
};

}  // namespace podium::ranking
