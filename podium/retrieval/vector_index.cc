#include "podium/retrieval/vector_index.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"
#include "podium/retrieval/ranked.h"

namespace podium::retrieval {
namespace {

constexpr size_t kBlock = 16;  // items whose largest score is known

float length(std::span<const float> vector) {
  return std::sqrt(kernels::dot(vector.data(), vector.data(), vector.size()));
}

float largest(std::span<const float> vector) {
  float most = 0;
  for (const float value : vector) most = std::max(most, std::abs(value));
  return most;
}

// How far a vector's int8 form, one scale a vector, lies from it.
float int8_error(std::span<const float> vector) {
  const float scale = largest(vector) / 127;
  if (scale == 0) return 0;
  double sum = 0;
  for (const float value : vector) {
    const double off = double(value) - double(scale) * std::nearbyint(value / scale);
    sum += off * off;
  }
  return float(std::sqrt(sum)) * 1.0001F;
}

}  // namespace

VectorIndex::VectorIndex(std::span<const float> vectors, size_t dim, Exact)
    : vectors_(vectors.begin(), vectors.end()), dim_(dim) {
  PODIUM_CHECK(dim > 0 && !vectors.empty() && vectors.size() % dim == 0);
}

VectorIndex::VectorIndex(std::span<const float> vectors, size_t dim, size_t exact_below)
    : VectorIndex(vectors, dim, Exact()) {
  if (items() < exact_below) {
    make_coarse();
  } else {
    graph_.emplace(vectors_, dim);
  }
}

VectorIndex VectorIndex::open(std::span<const float> vectors, size_t dim, const fs::path& file,
                              size_t exact_below) {
  VectorIndex index(vectors, dim, Exact());
  if (index.items() < exact_below) {
    index.make_coarse();
  } else {
    index.graph_.emplace(index.vectors_, dim, file);
  }
  return index;
}

VectorIndex VectorIndex::open_or_build(std::span<const float> vectors, size_t dim,
                                       const fs::path& file) {
  return fs::exists(file) ? open(vectors, dim, file) : VectorIndex(vectors, dim);
}

void VectorIndex::save_graph(const fs::path& file) const {
  if (graph_) graph_->save(file);
}

void VectorIndex::make_coarse() {
  coarse_ = kernels::PackedMatrix(vectors_.data(), items(), dim_, kernels::Precision::kInt8);
  for (ItemIndex item = 0; item < ItemIndex(items()); ++item) {
    coarse_error_ = std::max(coarse_error_, int8_error(vector(item)));
    longest_ = std::max(longest_, length(vector(item)));
  }
}

// Products of the int8 rows with the user's vector, which is told in two int8 parts, so that its
// own rounding does not count: user = parts[0] + parts[1] + what int8_error says of the second.
void VectorIndex::coarse_scores(std::span<const float> user, std::vector<float>& parts,
                                std::vector<float>& scores) const {
  thread_local kernels::LinearInput input;
  parts.resize(2 * dim_);
  const float scale = largest(user) / 127;
  for (size_t d = 0; d < dim_; ++d) {
    parts[d] = scale > 0 ? scale * std::nearbyint(user[d] / scale) : 0;
    parts[dim_ + d] = user[d] - parts[d];
  }
  scores.resize(2 * items());
  input.assign(parts.data(), 2, dim_);
  coarse_.apply(input, scores.data());
  kernels::axpy(1, scores.data() + items(), scores.data(), items());
}

// An int8 product is off by at most
//   e = |user| x coarse_error_ + error of the user's parts x (longest_ + coarse_error_),
// so whoever is among the n best by the true products is, by the int8 ones, no more than 2e below
// the n-th of them, or below anything that is no more than that. Those are compared by the true
// ones: the result is, to the bit, what it would be without the int8 form.
std::vector<Scored> VectorIndex::exact(std::span<const float> user, size_t n) const {
  thread_local std::vector<float> parts, scores, tops;
  n = std::min(n, items());
  if (n == 0) return {};
  coarse_scores(user, parts, scores);
  tops.clear();
  for (size_t begin = 0; begin < items(); begin += kBlock) {
    tops.push_back(kernels::max_of(&scores[begin], std::min(kBlock, items() - begin)));
  }
  const float error = length(user) * coarse_error_ +
                      int8_error({&parts[dim_], dim_}) * (longest_ + coarse_error_) +
                      1e-5F * (1 + length(user) * longest_);  // of fp32 sums
  const float least = lower_bound_of_nth(scores, tops, n) - 2 * error;
  std::vector<Scored> found;
  for (size_t block = 0; block < tops.size(); ++block) {
    if (tops[block] < least) continue;
    const auto end = ItemIndex(std::min((block + 1) * kBlock, items()));
    for (auto item = ItemIndex(block * kBlock); item < end; ++item) {
      if (scores[item] < least) continue;
      found.push_back({item, kernels::dot(user.data(), vector(item).data(), dim_)});
    }
  }
  keep_best(found, n);
  return found;
}

// No more than the n-th largest score: that of the blocks' largest ones, which are scores too;
// where there are fewer blocks, the smallest score.
float VectorIndex::lower_bound_of_nth(const std::vector<float>& scores,
                                      const std::vector<float>& tops, size_t n) const {
  if (n > tops.size()) {
    return *std::min_element(scores.begin(), scores.begin() + std::ptrdiff_t(items()));
  }
  std::vector<float> sorted = tops;
  const auto nth = sorted.begin() + std::ptrdiff_t(n - 1);
  std::nth_element(sorted.begin(), nth, sorted.end(), std::greater<>());
  return *nth;
}

std::vector<Scored> VectorIndex::search(std::span<const float> user, const Query& query,
                                        size_t n) const {
  PODIUM_CHECK(user.size() == dim_);
  const auto hidden = hidden_items(query);
  const size_t asked = std::min(items(), n + hidden.size());
  std::vector<Scored> found = graph_ ? graph_->search(user, asked) : exact(user, asked);
  std::erase_if(found, [&](const Scored& scored) { return hidden.contains(scored.item); });
  keep_best(found, n);
  return found;
}

}  // namespace podium::retrieval
