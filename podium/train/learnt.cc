#include "podium/train/learnt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "podium/base/error.h"
#include "podium/base/rng.h"

namespace podium::train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// W, whose gradient goes to the adapter.
class AdaptedWeight : public torch::autograd::Function<AdaptedWeight> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& merged, const Tensor& down,
                        const Tensor& up, double scale) {
    context->save_for_backward({down, up});
    context->saved_data["scale"] = scale;
    return merged.detach();
  }

  static tensor_list backward(AutogradContext* context, tensor_list grads) {
    const auto saved = context->get_saved_variables();
    const Tensor &down = saved[0], &up = saved[1];
    const Tensor grad = grads[0] * context->saved_data["scale"].toDouble();
    return {Tensor(), torch::mm(up.t(), grad), torch::mm(grad, down.t()), Tensor()};
  }
};

// An embedding, whose last rows' gradient goes to these.
class LastRows : public torch::autograd::Function<LastRows> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& all, const Tensor& rows) {
    context->saved_data["rows"] = rows.size(0);
    return all.detach();
  }

  static tensor_list backward(AutogradContext* context, tensor_list grads) {
    const int64_t rows = context->saved_data["rows"].toInt();
    return {Tensor(), grads[0].narrow(0, grads[0].size(0) - rows, rows).clone()};
  }
};

// Whether adapters of these projections change the tensor.
bool adapted(const std::string& name, const std::string& projections) {
  const auto is = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (projections == "qv") return is(".q_proj.") || is(".v_proj.");
  if (projections == "attention") return is(".self_attn.") && is("_proj.");
  return is("_proj.");
}

Tensor random_down(int64_t rank, int64_t in, Rng rng) {
  Tensor down = torch::empty({rank, in});
  const double scale = 1 / std::sqrt(3.0 * double(in));
  float* data = down.data_ptr<float>();
  for (int64_t i = 0; i < down.numel(); ++i) data[i] = float(rng.normal() * scale);
  return down;
}

}  // namespace

size_t LearntImpl::add_part(const std::string& name, const Tensor& values) {
  std::string key = name;  // a module's own names hold no dots
  std::replace(key.begin(), key.end(), '.', '/');
  parts.push_back(register_parameter(key, values.detach()));
  return parts.size() - 1;
}

LearntImpl::LearntImpl(const std::vector<Tensor>& weights) : weights_(weights) {
  for (size_t i = 0; i < weights.size(); ++i) {
    sources_.push_back({How::kWhole, add_part(fmt::format("{}", i), weights[i]), {}});
  }
}

LearntImpl::LearntImpl(const rerank::ModelSpec& spec, const std::vector<Tensor>& weights,
                       const AdaptOptions& options, int64_t first_row, uint64_t seed)
    : weights_(weights), sources_(weights.size()) {
  PODIUM_CHECK(options.freeze && first_row >= 0 && first_row < spec.vocab);
  scale_ = options.rank > 0 ? options.alpha / options.rank : 0;
  const auto table = rerank::tensor_table(spec);
  for (size_t i = 0; i < table.size(); ++i) {
    const std::string& name = table[i].name;
    const Tensor values = weights[i].detach();
    if (name.starts_with("podium.")) {
      sources_[i] = {How::kWhole, add_part(name, values), {}};
    } else if (name == rerank::kEmbedding || name == rerank::kHead) {
      sources_[i] = {How::kRows, add_part(name, values.slice(0, first_row)), {}};
    } else if (options.rank > 0 && adapted(name, options.projections)) {
      const int64_t out = table[i].shape[0], in = table[i].shape[1];
      const Tensor down = random_down(options.rank, in, Rng(seed).fork("adapter").fork(name));
      sources_[i] = {How::kAdapted, add_part(name + ".down", down), values.clone()};
      add_part(name + ".up", torch::zeros({out, options.rank}));
    }
  }
}

std::vector<Tensor> LearntImpl::weights_over(const std::vector<Tensor>& leaves,
                                             const std::vector<Tensor>& values) const {
  std::vector<Tensor> weights;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const size_t part = sources_[i].part;
    switch (sources_[i].how) {
      case How::kFrozen:
        weights.push_back(values[i]);
        break;
      case How::kWhole:
        weights.push_back(leaves[part]);
        break;
      case How::kRows:
        weights.push_back(LastRows::apply(values[i], leaves[part]));
        break;
      case How::kAdapted:
        weights.push_back(AdaptedWeight::apply(values[i], leaves[part], leaves[part + 1], scale_));
        break;
    }
  }
  return weights;
}

void LearntImpl::merge() {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    if (source.how != How::kAdapted) continue;
    weights_[i].copy_(source.start).addmm_(parts[source.part + 1], parts[source.part], 1, scale_);
  }
}

}  // namespace podium::train
