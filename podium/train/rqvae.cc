#include "podium/train/rqvae.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "podium/base/error.h"

namespace podium::train {

using torch::Tensor;

namespace {

Tensor uniform(const std::vector<int64_t>& shape, double bound, Rng rng) {
  Tensor values = torch::empty(shape);
  float* data = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) data[i] = float((2 * rng.uniform() - 1) * bound);
  return values;
}

std::vector<int64_t> encoder_widths(const RqVaeShape& shape, const RqVaeOptions& options) {
  std::vector<int64_t> widths = {shape.inputs};
  for (int i = 0; i < options.depth; ++i) widths.push_back(options.hidden >> i);
  widths.push_back(options.latent);
  return widths;
}

Tensor mlp(const std::vector<Tensor>& layers, Tensor x) {
  for (size_t i = 0; i < layers.size(); i += 2) {
    x = torch::addmm(layers[i + 1], x, layers[i].t());
    if (i + 2 < layers.size()) x = torch::relu(x);
  }
  return x;
}

// Squared distances [rows, codes].
Tensor distances(const Tensor& rows, const Tensor& codebook) {
  return rows.square().sum(1, true) + codebook.square().sum(1) - 2 * rows.matmul(codebook.t());
}

// 0: all codes alike over the batch, 1: one code for all. A soft assignment, so that it has a
// gradient.
Tensor unevenness(const Tensor& distance) {
  const Tensor soft = (-distance / distance.detach().mean().clamp_min(1e-12)).softmax(1).mean(0);
  return 1 + soft.mul((soft + 1e-12).log()).sum() / std::log(double(soft.numel()));
}

std::vector<float> to_vector(const Tensor& tensor) {
  const Tensor flat = tensor.detach().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace

RqVaeImpl::RqVaeImpl(const RqVaeShape& given, const RqVaeOptions& chosen, uint64_t seed)
    : shape(given), options(chosen) {
  std::vector<int64_t> widths = encoder_widths(shape, options);
  encoder_ = add_layers("encoder", widths, seed);
  std::reverse(widths.begin(), widths.end());
  decoder_ = add_layers("decoder", widths, seed);
  mean_ = register_buffer("mean", torch::zeros({shape.inputs}));
  scale_ = register_buffer("scale", torch::ones({1}));
  const std::vector<int64_t> all = {shape.levels, shape.codes, options.latent};
  const Tensor random = uniform(all, 0.5, Rng(seed).fork("codebooks"));
  codebooks =
      options.ema ? register_buffer("codebooks", random) : register_parameter("codebooks", random);
  count_ = register_buffer("count", torch::ones({shape.levels, shape.codes}));
  sum_ = register_buffer("sum", random.clone());
  used_ = register_buffer("used", torch::zeros({shape.levels, shape.codes}));
}

std::vector<Tensor> RqVaeImpl::add_layers(const std::string& name,
                                          const std::vector<int64_t>& widths, uint64_t seed) {
  std::vector<Tensor> layers;
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    const double bound = std::sqrt(3.0 / double(widths[i]));  // keeps the variance
    const std::string layer = fmt::format("{}_{}", name, i);
    layers.push_back(register_parameter(
        layer + "_weight", uniform({widths[i + 1], widths[i]}, bound, Rng(seed).fork(layer))));
    layers.push_back(register_parameter(layer + "_bias", torch::zeros({widths[i + 1]})));
  }
  return layers;
}

void RqVaeImpl::standardise(const Tensor& vectors) {
  const torch::NoGradGuard no_grad;
  mean_.copy_(vectors.mean(0));
  scale_.copy_((vectors - mean_).square().mean().clamp_min(1e-12).rsqrt().view({1}));
}

Tensor RqVaeImpl::standardised(const Tensor& vectors) const { return (vectors - mean_) * scale_; }

Tensor RqVaeImpl::encode(const Tensor& x) const { return mlp(encoder_, x); }

Tensor RqVaeImpl::decode(const Tensor& latent) const { return mlp(decoder_, latent); }

Quantised RqVaeImpl::quantise(const Tensor& z) const {
  Tensor residual = z, q = torch::zeros_like(z);
  Quantised out;
  out.codebook = out.commitment = out.diversity = torch::zeros({});
  std::vector<Tensor> codes, residuals;
  for (int64_t level = 0; level < shape.levels; ++level) {
    const Tensor codebook = codebooks[level];
    const Tensor distance = distances(residual, codebook);
    codes.push_back(distance.detach().argmin(1));
    residuals.push_back(residual.detach());
    const Tensor chosen = codebook.index_select(0, codes.back());
    if (!options.ema) out.codebook = out.codebook + (residuals.back() - chosen).square().mean();
    out.commitment = out.commitment + (residual - chosen.detach()).square().mean();
    if (options.diversity > 0) out.diversity = out.diversity + unevenness(distance);
    q = q + chosen.detach();
    residual = residual - chosen.detach();
  }
  out.codes = torch::stack(codes);
  out.residuals = torch::stack(residuals);
  out.latent = z + (q - z).detach();
  return out;
}

void RqVaeImpl::follow(const Quantised& batch) {
  const torch::NoGradGuard no_grad;
  const double fresh = 1 - options.ema_decay;
  for (int64_t level = 0; level < shape.levels; ++level) {
    const Tensor& chosen = batch.codes[level];
    const Tensor ones = torch::ones({chosen.size(0)});
    count_[level].mul_(options.ema_decay).index_add_(0, chosen, ones * fresh);
    sum_[level].mul_(options.ema_decay).index_add_(0, chosen, batch.residuals[level] * fresh);
    // Sum and count of an unused code fade together: it stays where it is, as long as that is told.
    constexpr double kFaded = 1e-6;
    const Tensor count = count_[level].unsqueeze(1);
    codebooks[level].copy_(
        torch::where(count > kFaded, sum_[level] / count.clamp_min(kFaded), codebooks[level]));
  }
}

void RqVaeImpl::note_use(const Quantised& batch) {
  for (int64_t level = 0; level < shape.levels; ++level) {
    used_[level].index_fill_(0, batch.codes[level], 1);
  }
}

int64_t RqVaeImpl::reset_dead(const Quantised& batch, Rng rng) {
  const torch::NoGradGuard no_grad;
  int64_t moved = 0;
  const auto rows = uint64_t(batch.codes.size(1));
  for (int64_t level = 0; level < shape.levels; ++level) {
    for (int64_t code = 0; code < shape.codes; ++code) {
      if (used_[level][code].item<float>() > 0) continue;
      const Tensor residual = batch.residuals[level][int64_t(rng.below(rows))];
      codebooks[level][code].copy_(residual);
      sum_[level][code].copy_(residual);
      count_[level][code].fill_(1);
      ++moved;
    }
  }
  used_.zero_();
  return moved;
}

void RqVaeImpl::set_codebook(int64_t level, std::span<const float> centroids) {
  const torch::NoGradGuard no_grad;
  PODIUM_CHECK(int64_t(centroids.size()) == codebooks[level].numel());
  std::copy(centroids.begin(), centroids.end(), codebooks[level].data_ptr<float>());
  sum_[level].copy_(codebooks[level]);
  count_[level].fill_(1);
}

sid::Encoder RqVaeImpl::served_encoder() const {
  const torch::NoGradGuard no_grad;
  sid::Encoder served;
  for (size_t i = 0; i < encoder_.size(); i += 2) {
    Tensor weight = encoder_[i], bias = encoder_[i + 1];
    if (i == 0) {  // W (v - mean) scale + b
      weight = weight * scale_;
      bias = bias - weight.mv(mean_);
    }
    served.layers.push_back({size_t(weight.size(1)), to_vector(weight), to_vector(bias)});
  }
  return served;
}

Tensor contrastive_loss(const Tensor& a, const Tensor& b, const Tensor& items, double temperature) {
  const auto unit = [](const Tensor& x) { return x / x.square().sum(1, true).add(1e-12).sqrt(); };
  const Tensor logits = unit(a).matmul(unit(b).t()) / temperature;  // [rows, rows]
  const Tensor row = torch::arange(items.size(0));
  const Tensor twins =
      items.unsqueeze(1).eq(items.unsqueeze(0)).logical_and(row.unsqueeze(1).ne(row.unsqueeze(0)));
  const Tensor masked = logits.masked_fill(twins, -1e9);
  return (masked.logsumexp(1) - logits.diagonal()).mean();
}

}  // namespace podium::train
