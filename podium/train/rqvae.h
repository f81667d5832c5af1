// RQ-VAE (TIGER 2305.05065; SoundStream 2107.03312): an autoencoder of item vectors whose latent
// vector is spelled in residual codes.
//
//   z = encoder((v - mean) * scale)               r_1 = z
//   c_k = argmin_j |r_k - e_j^(k)|,  r_{k+1} = r_k - sg(e_{c_k}),  q = sum_k e_{c_k}
//   L = |decoder(z + sg(q - z)) - x|^2            straight-through: the decoder's gradient reaches
//   z
//     + sum_k |sg(r_k) - e_{c_k}|^2               codebook; none with moving averages
//     + commitment sum_k |r_k - sg(e_{c_k})|^2
//     + diversity sum_k (1 - H(mean_i p_ik) / log codes)    p: soft-max of -distance / mean
//     distance
//     + contrastive InfoNCE(q_i, q_j)             j follows i in a history; cosines / temperature
// each squared norm a mean over rows and dimensions.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <vector>

#include "podium/base/rng.h"
#include "podium/sid/encoder.h"
#include "podium/train/rqvae_options.h"

namespace podium::train {

struct RqVaeShape {
  int64_t inputs = 0;  // of an item vector
  int64_t levels = 0;  // with codebooks
  int64_t codes = 0;   // a level
};

// What quantising a batch gives.
struct Quantised {
  torch::Tensor codes;      // [levels, rows]
  torch::Tensor residuals;  // [levels, rows, latent], r_k, detached
  torch::Tensor latent;     // [rows, latent]: value q, gradient to z
  torch::Tensor codebook;   // the losses of the formula, scalars without their weights
  torch::Tensor commitment;
  torch::Tensor diversity;
};

class RqVaeImpl : public torch::nn::Module {
 public:
  // A function of the seed. Codebooks begin at random.
  RqVaeImpl(const RqVaeShape& shape, const RqVaeOptions& options, uint64_t seed);

  // Mean and scale of the vectors [items, inputs]: their entries' mean square becomes 1.
  void standardise(const torch::Tensor& vectors);
  torch::Tensor standardised(const torch::Tensor& vectors) const;

  torch::Tensor encode(const torch::Tensor& x) const;  // standardised [rows, inputs] -> z
  torch::Tensor decode(const torch::Tensor& latent) const;
  Quantised quantise(const torch::Tensor& z) const;

  // The moving averages after a step, and with them the codebooks (van den Oord 2017, appendix A).
  void follow(const Quantised& batch);
  // Counts which codes the batch uses, for reset_dead().
  void note_use(const Quantised& batch);
  // Codes unused since the last call move to residuals of the batch, drawn by rng; returns how
  // many. Counts again from zero.
  int64_t reset_dead(const Quantised& batch, Rng rng);
  // Sets a level's codebook [codes, latent], where k-means found it.
  void set_codebook(int64_t level, std::span<const float> centroids);

  // The encoder as it is served, with mean and scale in its first layer.
  sid::Encoder served_encoder() const;

  RqVaeShape shape;
  RqVaeOptions options;
  torch::Tensor codebooks;  // [levels, codes, latent]; a buffer with moving averages

 private:
  std::vector<torch::Tensor> add_layers(const std::string& name, const std::vector<int64_t>& widths,
                                        uint64_t seed);

  std::vector<torch::Tensor> encoder_, decoder_;  // weight, bias, weight, bias ...
  torch::Tensor mean_, scale_;                    // [inputs], [1]
  torch::Tensor count_, sum_;                     // [levels, codes], [levels, codes, latent]
  torch::Tensor used_;                            // [levels, codes] since the last reset
};
TORCH_MODULE(RqVae);

// InfoNCE of rows that belong together against the other rows of the batch: the mean of
// -log softmax_j(cosine(a_i, b_j) / temperature) at j = i; b_j equal to b_i's item are no
// negatives. a, b [rows, latent]; items [rows] of b.
torch::Tensor contrastive_loss(const torch::Tensor& a, const torch::Tensor& b,
                               const torch::Tensor& items, double temperature);

}  // namespace podium::train
