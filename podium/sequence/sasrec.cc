#include "podium/sequence/sasrec.h"

#include <algorithm>
#include <cmath>

#include "podium/kernels/kernels.h"

namespace podium::sequence {

using kernels::LinearInput;
using kernels::Precision;

Sasrec::Sasrec(const fs::path& file, Precision precision)
    : weights_(file),
      dim_(weights_.number("dim")),
      heads_(weights_.number("heads")),
      max_len_(weights_.number("max_len")),
      items_(weights_, dim_),
      positions_(weights_.tensor("position_embedding", max_len_ * dim_)),
      text_projection_(weights_.has("text_projection") ? weights_.tensor("text_projection", 0)
                                                       : std::span<const float>()),
      norm_(weights_, "norm", dim_) {
  if (dim_ % heads_ != 0) weights_.fail("'heads' does not divide 'dim'");
  if (text_projection_.size() % dim_ != 0) {
    weights_.fail("tensor 'text_projection' has the wrong size");
  }
  const size_t blocks = weights_.number("blocks");
  for (size_t b = 0; b < blocks; ++b) {
    const std::string at = "blocks." + std::to_string(b);
    const auto linear = [&](const std::string& name, size_t outputs, size_t inputs) {
      return Linear(weights_, at + name, outputs, inputs, precision);
    };
    blocks_.push_back({LayerNorm(weights_, at + ".norm1", dim_), linear(".attention.q", dim_, dim_),
                       linear(".attention.k", dim_, dim_), linear(".attention.v", dim_, dim_),
                       linear(".attention.o", dim_, dim_), LayerNorm(weights_, at + ".norm2", dim_),
                       linear(".ffn.up", 4 * dim_, dim_), linear(".ffn.down", dim_, 4 * dim_)});
  }
  if (!std::isfinite(user_vector(std::vector<uint32_t>{0})[0])) weights_.fail("not finite");
}

// Adds the attention's output to the rows of x from `first` on, which look at all rows before them.
void Sasrec::attend(const Block& block, std::vector<float>& x, size_t first) const {
  const size_t time = x.size() / dim_, queries = time - first, width = dim_ / heads_;
  std::vector<float> normed(x.size()), k(x.size()), v(x.size()), q(queries * dim_),
      mixed(queries * dim_), weight(time);
  block.norm1.apply(x.data(), normed.data(), time);
  LinearInput input;
  input.assign(normed.data(), time, dim_);
  block.k.apply(input, k.data());
  block.v.apply(input, v.data());
  input.assign(&normed[first * dim_], queries, dim_);
  block.q.apply(input, q.data());
  const float scale = 1 / std::sqrt(float(width));
  for (size_t i = 0; i < queries; ++i) {
    const size_t seen = first + i + 1;
    for (size_t at = 0; at < dim_; at += width) {
      for (size_t s = 0; s < seen; ++s) {
        weight[s] = scale * kernels::dot(&q[i * dim_ + at], &k[s * dim_ + at], width);
      }
      const float top = kernels::max_of(weight.data(), seen);
      const float sum = kernels::exp_and_sum(weight.data(), seen, top);
      for (size_t s = 0; s < seen; ++s) {
        kernels::axpy(weight[s] / sum, &v[s * dim_ + at], &mixed[i * dim_ + at], width);
      }
    }
  }
  input.assign(mixed.data(), queries, dim_);
  block.o.apply(input, &x[first * dim_], /*accumulate=*/true);
}

void Sasrec::feed_forward(const Block& block, std::vector<float>& x, size_t first) const {
  const size_t rows = x.size() / dim_ - first;
  std::vector<float> normed(rows * dim_), inner(rows * 4 * dim_);
  block.norm2.apply(&x[first * dim_], normed.data(), rows);
  LinearInput input;
  input.assign(normed.data(), rows, dim_);
  block.up.apply(input, inner.data());
  kernels::gelu(inner.data(), inner.size());
  input.assign(inner.data(), rows, 4 * dim_);
  block.down.apply(input, &x[first * dim_], /*accumulate=*/true);
}

std::vector<float> Sasrec::vector_of(std::span<const float> text) const {
  if (text.empty() || text.size() * dim_ != text_projection_.size()) return {};
  std::vector<float> vector(dim_);
  for (size_t d = 0; d < dim_; ++d) {
    vector[d] = kernels::dot(&text_projection_[d * text.size()], text.data(), text.size());
  }
  return vector;
}

std::vector<float> Sasrec::user_vector(std::span<const uint32_t> history) const {
  std::vector<float> user(dim_);
  const size_t time = std::min(history.size(), max_len_);
  if (time == 0) return user;
  std::vector<float> x;
  for (size_t t = 0; t < time; ++t) {
    const auto item = items_.row(history[history.size() - time + t]);
    x.insert(x.end(), item.begin(), item.end());
    kernels::axpy(1, &positions_[(time - 1 - t) * dim_], &x[t * dim_], dim_);
  }
  for (const Block& block : blocks_) {
    const size_t first = &block == &blocks_.back() ? time - 1 : 0;  // all that is asked for
    attend(block, x, first);
    feed_forward(block, x, first);
  }
  norm_.apply(&x[(time - 1) * dim_], user.data(), 1);
  return user;
}

}  // namespace podium::sequence
