// Gradient-boosted trees as they are asked while serving: XGBoost's own arrays, laid out so that
// several rows walk down a tree at once. Scores are, to the bit, those of XGBoost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace podium::ranking {

// Immutable and thread-safe.
class Forest {
 public:
  // json: a model that check_ranker_json() has found sound.
  explicit Forest(std::string_view json);

  // rows: [count, features], NaN where a value is missing. features: at least features().
  std::vector<float> predict(const float* rows, size_t count, size_t features) const;
  size_t features() const { return features_; }  // that a row has to have

 private:
  // right if !(value < threshold), where the missing go left: if value >= threshold, so that a NaN
  // decides by itself. A leaf has a NaN for a threshold, and itself for a left child: a walk that
  // has arrived stays.
  struct Node {
    float threshold;
    float value;   // of a leaf
    int32_t left;  // the right child stands after it
    uint16_t feature;
    bool missing_left;
  };
  struct Tree {
    size_t root;
    int depth;
  };
  void add_tree(const std::vector<int32_t>& left, const std::vector<int32_t>& right,
                const std::vector<int32_t>& feature, const std::vector<float>& condition,
                const std::vector<int32_t>& missing_left);

  // Adds the trees' values to the scores of N rows, or of n.
  template <size_t N>
  void walk(const float* rows, size_t features, float* scores) const;
  template <size_t... N>
  void walk_last(size_t n, const float* rows, size_t features, float* scores,
                 std::index_sequence<N...>) const;

  std::vector<Node> nodes_;
  std::vector<Tree> trees_;
  float base_ = 0;
  size_t features_ = 0;
};

}  // namespace podium::ranking
