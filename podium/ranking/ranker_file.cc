#include "podium/ranking/ranker_file.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "podium/artifact/checks.h"
#include "podium/base/error.h"
#include "podium/base/json.h"

namespace podium::ranking {
namespace {

using Numbers = std::vector<int64_t>;

int64_t number(const Json& text) {  // XGBoost writes its parameters as strings
  const std::string& digits = text.get_ref<const std::string&>();
  int64_t value = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// Every node but the root is the child of exactly one, and reached from the root.
bool is_tree(const Numbers& left, const Numbers& right) {
  const auto nodes = int64_t(left.size());
  std::vector<bool> reached(left.size());
  Numbers open = {0};
  size_t count = 0;
  while (!open.empty()) {
    const int64_t node = open.back();
    open.pop_back();
    if (node < 0 || node >= nodes || reached[size_t(node)]) return false;
    reached[size_t(node)] = true;
    ++count;
    const int64_t l = left[size_t(node)], r = right[size_t(node)];
    if ((l == -1) != (r == -1)) return false;
    if (l == -1) continue;
    open.push_back(l);
    open.push_back(r);
  }
  return count == left.size();
}

bool tree_is_sound(const Json& tree, int64_t features) {
  const Json& parameters = tree.at("tree_param");
  const auto left = tree.at("left_children").get<Numbers>();
  const auto right = tree.at("right_children").get<Numbers>();
  const size_t nodes = left.size();
  if (nodes == 0 || number(parameters.at("num_nodes")) != int64_t(nodes) || right.size() != nodes ||
      number(parameters.at("num_deleted")) != 0) {
    return false;
  }
  for (const char* column : {"parents", "split_indices", "split_conditions", "default_left",
                             "base_weights", "loss_changes", "sum_hessian", "split_type"}) {
    if (!tree.at(column).is_array() || tree.at(column).size() != nodes) return false;
  }
  for (const Json& kind : tree.at("split_type")) {
    if (kind.get<int64_t>() != 0) return false;  // 1: categories, which podium does not use
  }
  for (const Json& column : tree.at("split_indices")) {
    const auto feature = column.get<int64_t>();
    if (feature < 0 || feature >= features) return false;
  }
  return is_tree(left, right);
}

bool is_sound(const Json& json) {
  const Json& learner = json.at("learner");
  const Json& parameters = learner.at("learner_model_param");
  const Json& booster = learner.at("gradient_booster");
  const int64_t features = number(parameters.at("num_feature"));
  const Json& model = booster.at("model");
  const Json& trees = model.at("trees");
  if (booster.at("name") != "gbtree" || features < 1 || number(parameters.at("num_class")) != 0 ||
      number(model.at("gbtree_model_param").at("num_trees")) != int64_t(trees.size()) ||
      model.at("tree_info").size() != trees.size()) {
    return false;
  }
  for (const Json& output : model.at("tree_info")) {
    if (output.get<int64_t>() != 0) return false;
  }
  for (const Json& tree : trees) {
    if (!tree_is_sound(tree, features)) return false;
  }
  return true;
}

}  // namespace

void check_ranker_json(std::string_view bytes, const fs::path& file) {
  bool sound = false;
  std::string flaw = "the trees of the ranker do not hang together";
  try {
    sound = is_sound(parse_json(bytes, file.string()));
  } catch (const Json::exception& e) {
    flaw = e.what();
  } catch (const Error& e) {
    flaw = e.message();
  }
  artifact::check_sound(sound, flaw, file, "train the ranker again");
}

}  // namespace podium::ranking
