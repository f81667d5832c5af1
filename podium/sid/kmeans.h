// k-means with k-means++ start (Arthur and Vassilvitskii 2007), deterministic for a seed whatever
// the thread count.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "podium/base/rng.h"

namespace podium::sid {

struct KmeansOptions {
  int clusters = 256;
  int iterations = 25;
  size_t batch = 0;  // rows an iteration, drawn anew each time; 0: all
};

// rows [n, dim] -> centroids [clusters, dim]. A cluster left without rows takes the row that lies
// farthest from its centroid.
std::vector<float> kmeans(std::span<const float> rows, size_t dim, const KmeansOptions& options,
                          Rng rng, int threads);

// The nearest centroid of every row; distance[i] = squared distance, if given.
std::vector<uint32_t> assign(std::span<const float> rows, size_t dim,
                             std::span<const float> centroids, int threads,
                             std::vector<float>* distance = nullptr);

}  // namespace podium::sid
