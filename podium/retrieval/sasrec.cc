#include "podium/retrieval/sasrec.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"
#include "podium/retrieval/ranked.h"

namespace podium::retrieval {
namespace {

size_t number(const artifact::SafetensorsFile& file, const fs::path& path, const char* key) {
  const auto found = file.metadata().find(key);
  size_t value = 0;
  if (found != file.metadata().end()) {
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
  }
  if (value == 0 || value > 65536) {
    throw Error(fmt::format("SASRec's '{}' is missing or out of range", key), "train it again",
                path.string());
  }
  return value;
}

// y[time, dim] = LayerNorm(x) row by row.
std::vector<float> layer_norm(const std::vector<float>& x, std::span<const float> weight,
                              std::span<const float> bias) {
  const size_t dim = weight.size();
  std::vector<float> y(x.size());
  for (size_t row = 0; row < x.size(); row += dim) {
    double mean = 0, square = 0;
    for (size_t j = 0; j < dim; ++j) mean += x[row + j];
    mean /= double(dim);
    for (size_t j = 0; j < dim; ++j) square += (x[row + j] - mean) * (x[row + j] - mean);
    const double scale = 1 / std::sqrt(square / double(dim) + 1e-5);
    for (size_t j = 0; j < dim; ++j) {
      y[row + j] = float((x[row + j] - mean) * scale) * weight[j] + bias[j];
    }
  }
  return y;
}

// y[time, out] = x[time, in] weight[out, in]^T + bias
std::vector<float> linear(const std::vector<float>& x, std::span<const float> weight,
                          std::span<const float> bias, size_t time) {
  std::vector<float> y(time * bias.size());
  kernels::matmul_nt(x.data(), weight.data(), y.data(), time, bias.size(), x.size() / time);
  for (size_t t = 0; t < time; ++t) kernels::axpy(1, bias.data(), &y[t * bias.size()], bias.size());
  return y;
}

}  // namespace

Sasrec::Sasrec(const fs::path& dir)
    : path_(dir / "sasrec.safetensors"),
      file_(path_),
      dim_(number(file_, path_, "dim")),
      blocks_(number(file_, path_, "blocks")),
      heads_(number(file_, path_, "heads")),
      max_len_(number(file_, path_, "max_len")),
      index_(file_.get<float>("item_embedding"), dim_) {
  // Touch every tensor once, so that a damaged file is refused here and not in a request.
  const std::vector<float> probe = user_vector(std::vector<ItemIndex>{0});
  if (dim_ % heads_ != 0 || !std::isfinite(probe[0])) {
    throw Error("SASRec's weights are damaged", "train it again", path_.string());
  }
}

std::span<const float> Sasrec::weights(const std::string& name, size_t size) const {
  const auto values = file_.get<float>(name);
  if (values.size() != size) {
    throw Error(fmt::format("SASRec's tensor '{}' has the wrong size", name), "train it again",
                path_.string());
  }
  return values;
}

void Sasrec::attend(const std::string& block, std::vector<float>& x, size_t time) const {
  const auto part = [&](const std::vector<float>& input, const char* name) {
    const std::string at = block + ".attention." + name;
    return linear(input, weights(at + ".weight", dim_ * dim_), weights(at + ".bias", dim_), time);
  };
  const std::vector<float> input =
      layer_norm(x, weights(block + ".norm1.weight", dim_), weights(block + ".norm1.bias", dim_));
  const std::vector<float> q = part(input, "q"), k = part(input, "k"), v = part(input, "v");
  std::vector<float> mixed(time * dim_), logits(time);
  const size_t width = dim_ / heads_;
  for (size_t head = 0; head < heads_; ++head) {
    const size_t at = head * width;
    for (size_t t = 0; t < time; ++t) {
      for (size_t s = 0; s <= t; ++s) {
        logits[s] =
            kernels::dot(&q[t * dim_ + at], &k[s * dim_ + at], width) / std::sqrt(float(width));
      }
      kernels::softmax(logits.data(), t + 1);
      for (size_t s = 0; s <= t; ++s) {
        kernels::axpy(logits[s], &v[s * dim_ + at], &mixed[t * dim_ + at], width);
      }
    }
  }
  const std::vector<float> out = part(mixed, "o");
  kernels::axpy(1, out.data(), x.data(), x.size());
}

void Sasrec::feed_forward(const std::string& block, std::vector<float>& x, size_t time) const {
  const std::vector<float> input =
      layer_norm(x, weights(block + ".norm2.weight", dim_), weights(block + ".norm2.bias", dim_));
  const auto up_bias = file_.get<float>(block + ".ffn.up.bias");
  const size_t inner = up_bias.size();
  std::vector<float> hidden =
      linear(input, weights(block + ".ffn.up.weight", inner * dim_), up_bias, time);
  for (float& value : hidden) {
    value = 0.5F * value * (1 + std::erf(value * 0.70710678F));
  }
  const std::vector<float> out = linear(hidden, weights(block + ".ffn.down.weight", inner * dim_),
                                        weights(block + ".ffn.down.bias", dim_), time);
  kernels::axpy(1, out.data(), x.data(), x.size());
}

std::vector<float> Sasrec::user_vector(std::span<const ItemIndex> history) const {
  const size_t time = std::min(history.size(), max_len_);
  if (time == 0) return std::vector<float>(dim_);
  const auto positions = weights("position_embedding", max_len_ * dim_);
  std::vector<float> x;
  for (size_t t = 0; t < time; ++t) {
    const auto item = index_.vector(history[history.size() - time + t]);
    x.insert(x.end(), item.begin(), item.end());
    kernels::axpy(1, &positions[(time - 1 - t) * dim_], &x[t * dim_], dim_);
  }
  for (size_t b = 0; b < blocks_; ++b) {
    const std::string block = "blocks." + std::to_string(b);
    attend(block, x, time);
    feed_forward(block, x, time);
  }
  const std::vector<float> last(x.end() - std::ptrdiff_t(dim_), x.end());
  return layer_norm(last, weights("norm.weight", dim_), weights("norm.bias", dim_));
}

float Sasrec::score(std::span<const float> user, ItemIndex item) const {
  return kernels::dot(user.data(), index_.vector(item).data(), dim_);
}

std::vector<Scored> Sasrec::retrieve(const Query& query, size_t n) const {
  if (query.history.empty()) return {};
  return index_.search(user_vector(query.history), query, n);
}

void Sasrec::save(const fs::path& dir) const {
  fs::copy_file(path_, dir / "sasrec.safetensors", fs::copy_options::overwrite_existing);
}

}  // namespace podium::retrieval
