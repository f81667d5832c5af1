// Semantic IDs: residual quantisation of item vectors (docs/gr2.md section 2; TIGER 2305.05065).
//   z_k = argmin_j |r_k - e_j^(k)|,  r_{k+1} = r_k - e_{z_k}
// r_1 is the vector itself (RQ-KMeans), or what the encoder makes of it (RQ-VAE, train/rqvae.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/base/option_range.h"
#include "podium/sid/encoder.h"
#include "podium/sid/sid_table.h"

namespace podium::sid {

inline constexpr int kMinLevels = 2, kMaxLevels = 8;

struct SidOptions {
  std::string method = "rq-kmeans";  // or "rq-vae", which podium-train fits
  int levels = 4;
  int codes = 256;                // codes a level; smaller catalogues use fewer, see codes_for()
  int iterations = 25;            // Lloyd iterations a level
  int minibatch = 0;              // rows an iteration; 0: all below 1 M items, 100 k rows above
  bool random_last_level = true;  // z_L drawn from codes unused under its prefix
  template <class V>
  void visit(V& v) {
    v("method", method,
      "rq-kmeans quantises the items' vectors; rq-vae learns codebooks, options in [rqvae]",
      one_of({"rq-kmeans", "rq-vae"}));
    v("levels", levels, "residual levels L", between(kMinLevels, kMaxLevels));
    v("codes", codes, "codes a level (fewer for small catalogues)", between(2, 65536));
    v("iterations", iterations, "k-means iterations a level", between(1, 10000));
    v("minibatch", minibatch, "rows a k-means iteration; 0 chooses by catalogue size",
      between(0, 1000000000));
    v("random_last_level", random_last_level,
      "last code drawn among those unused under its prefix");
  }
};

// The stated rule for small catalogues: the largest power of two <= codes with at least 4 items a
// code, and at least 16.
int codes_for(size_t items, int codes);

struct SidModel {
  SidTable table;
  Encoder encoder;                        // from item vectors to the codebooks' space
  std::vector<float> centroids;           // [levels, codes_per_level, dim]
  int dim = 0;                            // of the codebooks' space
  std::vector<double> usage, perplexity;  // a level: share of codes used, 2^entropy

  size_t vector_dim() const { return encoder.layers.empty() ? size_t(dim) : encoder.inputs(); }
};

// vectors: row-major [items, dim]. Deterministic for a seed, whatever the thread count.
// options.method is not asked.
SidModel fit_rq_kmeans(std::span<const float> vectors, int dim, const SidOptions& options,
                       uint64_t seed, int threads);

// The nearest codes of rows [items, dim] in the first so many levels, into model.table; returns
// what they leave of the rows.
std::vector<float> quantise(SidModel& model, std::span<const float> rows, int levels, int threads);

void measure(SidModel& model);  // fills usage and perplexity

void save_sid(const fs::path& dir, const SidModel& model);  // sid.safetensors + sid.json
SidModel load_sid(const fs::path& dir);

}  // namespace podium::sid
