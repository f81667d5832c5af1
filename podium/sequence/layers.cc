#include "podium/sequence/layers.h"

#include <fmt/format.h>

#include <charconv>

#include "podium/artifact/checks.h"
#include "podium/base/error.h"
#include "podium/kernels/kernels.h"

namespace podium::sequence {

void Weights::fail(const std::string& problem) const {
  throw Error(ErrorKind::kCorrupt, problem, "train the model again", path_.string());
}

size_t Weights::number(const char* key) const {
  const auto found = file_.metadata().find(key);
  size_t value = 0;
  if (found != file_.metadata().end()) {
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
  }
  if (value == 0 || value > 65536) fail(fmt::format("'{}' is missing or out of range", key));
  return value;
}

std::span<const float> Weights::tensor(const std::string& name, size_t size) const {
  const auto values = file_.get<float>(name);
  if (values.empty() || (size > 0 && values.size() != size)) {
    fail(fmt::format("tensor '{}' has the wrong size", name));
  }
  if (!artifact::all_finite(values)) fail(fmt::format("tensor '{}' is not finite", name));
  return values;
}

LayerNorm::LayerNorm(size_t dim, float eps) : weight_(dim, 1), bias_(dim, 0), eps_(eps) {}

LayerNorm::LayerNorm(const Weights& weights, const std::string& name, size_t dim)
    : LayerNorm(dim, 1e-5F) {
  const auto weight = weights.tensor(name + ".weight", dim);
  const auto bias = weights.tensor(name + ".bias", dim);
  weight_.assign(weight.begin(), weight.end());
  bias_.assign(bias.begin(), bias.end());
}

void LayerNorm::apply(const float* x, float* y, size_t rows) const {
  const size_t dim = weight_.size();
  for (size_t row = 0; row < rows; ++row, x += dim, y += dim) {
    kernels::layer_norm(x, weight_.data(), bias_.data(), y, dim, eps_);
  }
}

Linear::Linear(const Weights& weights, const std::string& name, size_t outputs, size_t inputs,
               kernels::Precision precision)
    : weight_(weights.tensor(name + ".weight", outputs * inputs).data(), outputs, inputs,
              precision) {
  const auto bias = weights.tensor(name + ".bias", outputs);
  bias_.assign(bias.begin(), bias.end());
}

void Linear::apply(kernels::LinearInput& x, float* y, bool accumulate) const {
  weight_.apply(x, y, accumulate);
  for (size_t row = 0; row < x.rows(); ++row) {
    kernels::axpy(1, bias_.data(), y + row * bias_.size(), bias_.size());
  }
}

ItemTable::ItemTable(const Weights& weights, size_t dim)
    : values_(weights.tensor("item_embedding", 0)), dim_(dim) {
  if (values_.size() % dim != 0) weights.fail("tensor 'item_embedding' has the wrong size");
}

std::span<const float> ItemTable::row(uint32_t item) const {
  PODIUM_CHECK((size_t(item) + 1) * dim_ <= values_.size());
  return values_.subspan(size_t(item) * dim_, dim_);
}

}  // namespace podium::sequence
