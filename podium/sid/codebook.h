// Semantic IDs: residual quantisation of item vectors (docs/gr2.md section 2; TIGER 2305.05065).
//   z_k = argmin_j |r_k - e_j^(k)|,  r_{k+1} = r_k - e_{z_k}
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/base/option_range.h"

namespace podium::sid {

inline constexpr int kMinLevels = 2, kMaxLevels = 8;

struct SidOptions {
  int levels = 4;
  int codes = 256;                // codes a level; smaller catalogues use fewer, see codes_for()
  int iterations = 25;            // Lloyd iterations a level
  int minibatch = 0;              // rows an iteration; 0: all below 1 M items, 100 k rows above
  bool random_last_level = true;  // z_L drawn from codes unused under its prefix
  template <class V>
  void visit(V& v) {
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

// "<s_a_57><s_b_7><s_c_23><s_d_4>"
std::string spell(std::span<const uint16_t> codes);

// The SIDs of a catalogue. codes[i * levels + k] in [0, codes_per_level).
struct SidTable {
  int levels = 0;
  int codes_per_level = 0;
  std::vector<uint16_t> codes;  // [items, levels]

  size_t items() const { return levels == 0 ? 0 : codes.size() / levels; }
  std::span<const uint16_t> of(uint32_t item) const {
    return {codes.data() + size_t(item) * levels, size_t(levels)};
  }
  double uniqueness() const;  // distinct SIDs / items
  std::string spell(uint32_t item) const;
};

struct SidModel {
  SidTable table;
  std::vector<float> centroids;  // [levels, codes_per_level, dim]
  int dim = 0;
  std::vector<double> usage, perplexity;  // a level: share of codes used, 2^entropy
};

// vectors: row-major [items, dim]. Deterministic for a seed, whatever the thread count.
SidModel fit_rq_kmeans(std::span<const float> vectors, int dim, const SidOptions& options,
                       uint64_t seed, int threads);

void save_sid(const fs::path& dir, const SidModel& model);  // sid.safetensors + sid.json
SidModel load_sid(const fs::path& dir);

}  // namespace podium::sid
