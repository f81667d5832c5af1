#include "podium/text/whitening.h"

#include <algorithm>
#include <cmath>

#include "podium/artifact/checks.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/kernels/kernels.h"

namespace podium::text {
namespace {

constexpr std::string_view kWhiteningFile = "whitening.safetensors";  // in kTextEncoderFolder
constexpr const char *kWhiteningKey = "podium_whitening", *kWhitening = "1";
constexpr size_t kRowsAtOnce = 1024;
constexpr double kLeastShare = 1e-6;  // of the largest eigenvalue

bool is_zero(std::span<const float> vector) {
  return std::ranges::all_of(vector, [](float v) { return v == 0; });
}

// The rows that say something, less their mean, which goes to `mean`.
std::vector<float> centred(std::span<const float> vectors, size_t dim, std::vector<double>& mean) {
  std::vector<float> rows;
  for (size_t begin = 0; begin < vectors.size(); begin += dim) {
    const auto row = vectors.subspan(begin, dim);
    if (!is_zero(row)) rows.insert(rows.end(), row.begin(), row.end());
  }
  const size_t count = rows.size() / dim;
  const auto n = double(count);
  for (size_t i = 0; i < rows.size(); ++i) mean[i % dim] += double(rows[i]) / n;
  for (size_t i = 0; i < rows.size(); ++i) rows[i] -= float(mean[i % dim]);
  return rows;
}

// rows [n, dim]^T rows / n, summed in order.
std::vector<float> covariance(const std::vector<float>& rows, size_t dim) {
  std::vector<float> sum(dim * dim), part(dim * dim);
  const size_t n = rows.size() / dim;
  for (size_t begin = 0; begin < n; begin += kRowsAtOnce) {
    const float* from = &rows[begin * dim];
    kernels::matmul_tn(from, from, part.data(), dim, dim, std::min(kRowsAtOnce, n - begin));
    kernels::axpy(1 / float(n), part.data(), sum.data(), dim * dim);
  }
  return sum;
}

}  // namespace

WhitenedEncoder::WhitenedEncoder(std::unique_ptr<TextEncoder> base, std::span<const float> vectors,
                                 double strength)
    : base_(std::move(base)) {
  const size_t dim = base_->dim();
  std::vector<double> mean(dim);
  const std::vector<float> rows = centred(vectors, dim, mean);
  const size_t count = rows.size() / dim;
  const auto n = double(count);
  const double known = n / (n + double(dim));
  centre_.assign(mean.begin(), mean.end());
  turn_ = covariance(rows, dim);
  double trace = 0;
  for (size_t i = 0; i < dim; ++i) trace += double(turn_[i * dim + i]);
  if (trace <= 0) trace = 1;  // texts that are all alike
  for (float& one : turn_) one *= float(known);
  for (size_t i = 0; i < dim; ++i) turn_[i * dim + i] += float((1 - known) * trace / double(dim));
  std::vector<float> values(dim);
  if (!kernels::symmetric_eigen(turn_.data(), values.data(), dim)) {
    throw Error("the eigenvectors of the item texts' covariance did not converge",
                "leave encoder.whiten at 0");
  }
  const double least = kLeastShare * double(values.back());
  for (size_t i = 0; i < dim; ++i) {
    const auto scale = float(std::pow(std::max(double(values[i]), least), -strength / 2));
    for (size_t j = 0; j < dim; ++j) turn_[i * dim + j] *= scale;
  }
}

void WhitenedEncoder::apply(std::span<float> vectors, int threads) const {
  const size_t width = dim();
  parallel_for(threads, vectors.size() / width, 256, [&](size_t begin, size_t end) {
    std::vector<float> shifted(width);
    for (size_t row = begin; row < end; ++row) {
      const auto vector = vectors.subspan(row * width, width);
      if (is_zero(vector)) continue;
      for (size_t i = 0; i < width; ++i) shifted[i] = vector[i] - centre_[i];
      for (size_t i = 0; i < width; ++i) {
        vector[i] = kernels::dot(&turn_[i * width], shifted.data(), width);
      }
      const float length = std::sqrt(kernels::dot(vector.data(), vector.data(), width));
      if (length > 0) {
        for (float& value : vector) value /= length;
      }
    }
  });
}

void WhitenedEncoder::encode(std::string_view text, std::span<float> vector) const {
  base_->encode(text, vector);
  apply(vector, 1);
}

void WhitenedEncoder::encode_all(std::span<const std::string> texts, std::span<float> vectors,
                                 int threads) const {
  base_->encode_all(texts, vectors, threads);
  apply(vectors, threads);
}

void WhitenedEncoder::encode_cached(std::span<const std::string> texts, std::span<float> vectors,
                                    int threads, const fs::path& cache) const {
  base_->encode_cached(texts, vectors, threads, cache);
  apply(vectors, threads);
}

void WhitenedEncoder::save(const fs::path& dir) const {
  base_->save(dir);
  const auto width = int64_t(dim());
  artifact::SafetensorsWriter writer;
  writer.add<float>("centre", centre_);
  writer.add<float>("turn", turn_, {width, width});
  writer.set_metadata(kWhiteningKey, kWhitening);
  writer.write(dir / kTextEncoderFolder / kWhiteningFile);
}

std::unique_ptr<TextEncoder> WhitenedEncoder::load(std::unique_ptr<TextEncoder>& base,
                                                   const fs::path& dir) {
  const fs::path path = dir / kTextEncoderFolder / kWhiteningFile;
  if (!fs::exists(path)) return nullptr;
  const artifact::SafetensorsFile file(path);
  const auto version = file.metadata().find(kWhiteningKey);
  const auto centre = file.get<float>("centre"), turn = file.get<float>("turn");
  const auto finite = [](std::span<const float> values) {
    return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
  };
  artifact::check_sound(
      version != file.metadata().end() && version->second == kWhitening &&
          centre.size() == base->dim() && turn.size() == base->dim() * base->dim() &&
          finite(centre) && finite(turn),
      "not a whitening of this encoder's vectors", path, "make the semantic IDs again");
  std::unique_ptr<WhitenedEncoder> encoder(new WhitenedEncoder(std::move(base)));
  encoder->centre_.assign(centre.begin(), centre.end());
  encoder->turn_.assign(turn.begin(), turn.end());
  return encoder;
}

}  // namespace podium::text
