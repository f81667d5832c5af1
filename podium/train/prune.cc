#include "podium/train/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string_view>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/train/gradient.h"

namespace podium::train {
namespace {

using rerank::ModelSpec;
using torch::Tensor;

constexpr int kChannels = 16;  // the least step of a feed-forward's width
constexpr size_t kLabelRanks = 10;

std::string layer_prefix(size_t layer) { return fmt::format("model.layers.{}.", layer); }

// What learns, by the names of tensor_table: every weight, with its gradient.
class Named {
 public:
  explicit Named(const Qwen3& model)
      : table_(rerank::tensor_table(model->spec)), weights_(model->learnt->parts) {
    PODIUM_CHECK(weights_.size() == table_.size());
  }

  const Tensor& operator()(const std::string& name) const {
    const auto found = std::ranges::find(table_, name, &rerank::TensorSpec::name);
    PODIUM_CHECK(found != table_.end());
    return weights_[size_t(found - table_.begin())];
  }

 private:
  std::vector<rerank::TensorSpec> table_;
  const std::vector<Tensor>& weights_;
};

// sum w . g of each of `parts` equal ranges of columns, squared, added to `sums`.
void add_squares(const Tensor& weight, std::vector<double>& sums) {
  if (!weight.grad().defined()) return;
  const auto parts = int64_t(sums.size());
  const Tensor effect = (weight.detach() * weight.grad()).sum(0).view({parts, -1}).sum(1);
  const Tensor squares = effect.to(torch::kDouble).square();
  for (int64_t i = 0; i < parts; ++i) sums[size_t(i)] += squares.data_ptr<double>()[i];
}

// The `count` most important, ascending; of equals the first.
std::vector<size_t> most_important(const std::vector<double>& importance, size_t count) {
  std::vector<size_t> indices(importance.size());
  std::iota(indices.begin(), indices.end(), size_t{0});
  std::ranges::stable_sort(indices,
                           [&](size_t a, size_t b) { return importance[a] > importance[b]; });
  indices.resize(count);
  std::ranges::sort(indices);
  return indices;
}

double sum_of(const std::vector<double>& values, const std::vector<size_t>& indices) {
  double sum = 0;
  for (const size_t i : indices) sum += values[i];
  return sum;
}

// The widest feed-forward with which the shape holds at most `most` weights; nothing where none is.
std::optional<int> widest_ffn(ModelSpec shape, int widest, double most) {
  const int step = std::min(kChannels, widest);
  for (int ffn = widest; ffn >= step; ffn = (ffn - 1) / step * step) {
    shape.ffn = ffn;
    if (double(layer_weights(shape)) <= most) return ffn;
  }
  return {};
}

// With so many layers, groups and channels the most important ones.
Kept best_of_shape(const Importance& importance, const std::vector<double>& layers,
                   const ModelSpec& shape) {
  Kept kept{most_important(layers, size_t(shape.layers)), {}, {}};
  for (const size_t layer : kept.layers) {
    kept.groups.push_back(most_important(importance.groups[layer], size_t(shape.kv_heads)));
    kept.channels.push_back(most_important(importance.channels[layer], size_t(shape.ffn)));
  }
  return kept;
}

double importance_of(const Importance& importance, const Kept& kept) {
  double sum = 0;
  for (size_t i = 0; i < kept.layers.size(); ++i) {
    sum += sum_of(importance.groups[kept.layers[i]], kept.groups[i]) +
           sum_of(importance.channels[kept.layers[i]], kept.channels[i]);
  }
  return sum;
}

// Rows or columns `width` each.
Tensor chosen(const Tensor& weight, int64_t dimension, const std::vector<size_t>& parts,
              int64_t width) {
  std::vector<int64_t> indices;
  for (const size_t part : parts) {
    for (int64_t i = 0; i < width; ++i) indices.push_back(int64_t(part) * width + i);
  }
  return weight.index_select(dimension, torch::tensor(indices));
}

// A tensor of a layer without what does not stay.
Tensor part_of(const Tensor& weight, std::string_view name, const ModelSpec& spec,
               const std::vector<size_t>& groups, const std::vector<size_t>& channels) {
  const int64_t dim = spec.head_dim, queries = dim * spec.heads / spec.kv_heads;
  if (name == "self_attn.q_proj.weight") return chosen(weight, 0, groups, queries);
  if (name == "self_attn.k_proj.weight") return chosen(weight, 0, groups, dim);
  if (name == "self_attn.v_proj.weight") return chosen(weight, 0, groups, dim);
  if (name == "self_attn.o_proj.weight") return chosen(weight, 1, groups, queries);
  if (name == "mlp.gate_proj.weight") return chosen(weight, 0, channels, 1);
  if (name == "mlp.up_proj.weight") return chosen(weight, 0, channels, 1);
  if (name == "mlp.down_proj.weight") return chosen(weight, 1, channels, 1);
  return weight;
}

}  // namespace

double Importance::layer(size_t i) const {
  return std::accumulate(groups[i].begin(), groups[i].end(), 0.0) +
         std::accumulate(channels[i].begin(), channels[i].end(), 0.0);
}

Importance measure_importance(Qwen3& model, const rerank::PromptContext& context,
                              std::span<const rerank::Slate> slates, int threads) {
  const ModelSpec& spec = model->spec;
  Importance importance{{size_t(spec.layers), std::vector<double>(size_t(spec.kv_heads))},
                        {size_t(spec.layers), std::vector<double>(size_t(spec.ffn))}};
  GradientWorkers workers(model, frozen_of(context, spec.vocab), threads);
  const Named weights(model);
  Progress progress("importance", slates.size(), "slates");
  for (const rerank::Slate& slate : slates) {
    stop_if_interrupted("run the same command to resume");
    SlateExample example(context, slate, false, 1);
    example.add_labels(gains_of(slate), 1, kLabelRanks);
    workers.backward({example.take()}, [](const Tensor& logprob, const Example& part) {
      return weighed_loss(logprob, part, 1);
    });
    for (size_t i = 0; i < size_t(spec.layers); ++i) {
      add_squares(weights(layer_prefix(i) + "self_attn.o_proj.weight"), importance.groups[i]);
      add_squares(weights(layer_prefix(i) + "mlp.down_proj.weight"), importance.channels[i]);
    }
    progress.add();
  }
  for (auto* all : {&importance.groups, &importance.channels}) {
    for (auto& values : *all) {
      for (double& value : values) value /= double(std::max<size_t>(1, slates.size()));
    }
  }
  model->learnt->zero_grad();
  return importance;
}

Kept choose_kept(const ModelSpec& spec, const Importance& importance, double share) {
  const double most = share * double(layer_weights(spec));
  std::vector<double> layers;
  for (size_t i = 0; i < size_t(spec.layers); ++i) layers.push_back(importance.layer(i));
  layers.back() = INFINITY;
  std::optional<Kept> best;
  double highest = 0;
  ModelSpec shape = spec;
  for (shape.layers = 1; shape.layers <= spec.layers; ++shape.layers) {
    for (shape.kv_heads = 1; shape.kv_heads <= spec.kv_heads; ++shape.kv_heads) {
      shape.heads = spec.heads / spec.kv_heads * shape.kv_heads;
      const auto ffn = widest_ffn(shape, spec.ffn, most);
      if (!ffn) continue;
      shape.ffn = *ffn;
      Kept kept = best_of_shape(importance, layers, shape);
      const double value = importance_of(importance, kept);
      if (best && value <= highest) continue;
      best = std::move(kept);
      highest = value;
    }
  }
  if (!best) {
    throw Error(fmt::format("no policy of this form has a share of {} of the weights", share),
                "raise prune.keep");
  }
  return *best;
}

ModelSpec pruned_spec(const ModelSpec& spec, const Kept& kept) {
  ModelSpec shape = spec;
  shape.layers = int(kept.layers.size());
  shape.kv_heads = int(kept.groups.front().size());
  shape.heads = spec.heads / spec.kv_heads * shape.kv_heads;
  shape.ffn = int(kept.channels.front().size());
  return shape;
}

int64_t layer_weights(const ModelSpec& spec) {
  int64_t sum = 0;
  for (const rerank::TensorSpec& tensor : rerank::tensor_table(spec)) {
    if (tensor.name.starts_with("model.layers.") && tensor.shape.size() == 2) {
      sum += tensor.elements();
    }
  }
  return sum;
}

Qwen3 pruned(const Qwen3& model, const Kept& kept) {
  Qwen3 smaller(pruned_spec(model->spec, kept), 0);
  const torch::NoGradGuard no_grad;
  const Named from(model), to(smaller);
  for (const rerank::TensorSpec& tensor : rerank::tensor_table(smaller->spec)) {
    if (!tensor.name.starts_with("model.layers.")) to(tensor.name).copy_(from(tensor.name));
  }
  for (size_t i = 0; i < kept.layers.size(); ++i) {
    const std::string own = layer_prefix(i), old = layer_prefix(kept.layers[i]);
    for (const rerank::TensorSpec& tensor : rerank::tensor_table(smaller->spec)) {
      if (!tensor.name.starts_with(own)) continue;
      const std::string name = tensor.name.substr(own.size());
      to(tensor.name)
          .copy_(part_of(from(old + name), name, model->spec, kept.groups[i], kept.channels[i]));
    }
  }
  return smaller;
}

}  // namespace podium::train
