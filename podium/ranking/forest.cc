#include "podium/ranking/forest.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/json.h"

namespace podium::ranking {
namespace {

constexpr size_t kTogether = 8;  // rows that walk down a tree at once; of the last ones, up to 15

template <class T>
std::vector<T> column(const Json& tree, const char* name) {
  std::vector<T> values;
  for (const Json& value : tree.at(name)) {
    values.push_back(value.is_boolean() ? T(value.get<bool>()) : T(value.get<double>()));
  }
  return values;
}

}  // namespace

Forest::Forest(std::string_view text) {
  const Json json = parse_json(text, "ranker");
  const Json& learner = json.at("learner");
  const Json& parameters = learner.at("learner_model_param");
  base_ = std::strtof(parameters.at("base_score").get<std::string>().c_str(), nullptr);
  for (const Json& tree : learner.at("gradient_booster").at("model").at("trees")) {
    add_tree(column<int32_t>(tree, "left_children"), column<int32_t>(tree, "right_children"),
             column<int32_t>(tree, "split_indices"), column<float>(tree, "split_conditions"),
             column<int32_t>(tree, "default_left"));
  }
}

void Forest::add_tree(const std::vector<int32_t>& left, const std::vector<int32_t>& right,
                      const std::vector<int32_t>& feature, const std::vector<float>& condition,
                      const std::vector<int32_t>& missing_left) {
  struct Open {
    int32_t from;
    size_t to;
    int depth;
  };
  Tree tree{nodes_.size(), 0};
  nodes_.emplace_back();
  std::vector<Open> open = {{0, tree.root, 0}};
  while (!open.empty()) {
    const auto [from, to, depth] = open.back();
    open.pop_back();
    tree.depth = std::max(tree.depth, depth);
    const auto at = size_t(from);
    if (left[at] == -1) {
      nodes_[to] = {std::numeric_limits<float>::quiet_NaN(), condition[at], int32_t(to), 0, true};
      continue;
    }
    const size_t child = nodes_.size();
    nodes_[to] = {condition[at], 0, int32_t(child), uint16_t(feature[at]), missing_left[at] != 0};
    features_ = std::max(features_, size_t(feature[at]) + 1);
    nodes_.resize(child + 2);
    open.push_back({left[at], child, depth + 1});
    open.push_back({right[at], child + 1, depth + 1});
  }
  trees_.push_back(tree);
}

template <size_t N>
void Forest::walk(const float* rows, size_t features, float* scores) const {
  for (const Tree& tree : trees_) {
    std::array<size_t, N> at{};
    at.fill(tree.root);
    for (int level = 0; level < tree.depth; ++level) {
      for (size_t r = 0; r < N; ++r) {
        const Node& node = nodes_[at[r]];
        const float value = rows[r * features + node.feature];
        const bool past = value >= node.threshold, before = value < node.threshold;
        at[r] = size_t(node.left) + size_t(node.missing_left ? past : !before);
      }
    }
    for (size_t r = 0; r < N; ++r) scores[r] += nodes_[at[r]].value;
  }
}

template <size_t... N>
void Forest::walk_last(size_t n, const float* rows, size_t features, float* scores,
                       std::index_sequence<N...>) const {
  using Walk = void (Forest::*)(const float*, size_t, float*) const;
  static constexpr std::array<Walk, sizeof...(N)> kWalks = {&Forest::walk<N>...};
  (this->*kWalks[n])(rows, features, scores);
}

std::vector<float> Forest::predict(const float* rows, size_t count, size_t features) const {
  PODIUM_CHECK(features >= features_ && features_ <= std::numeric_limits<uint16_t>::max());
  std::vector<float> scores(count, base_);
  size_t begin = 0;
  for (; count - begin >= 2 * kTogether; begin += kTogether) {
    walk<kTogether>(rows + begin * features, features, &scores[begin]);
  }
  walk_last(count - begin, rows + begin * features, features, scores.data() + begin,
            std::make_index_sequence<2 * kTogether>());
  return scores;
}

}  // namespace podium::ranking
