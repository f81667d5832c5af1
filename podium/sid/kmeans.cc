#include "podium/sid/kmeans.h"

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/kernels/kernels.h"

namespace podium::sid {
namespace {

constexpr size_t kStartSample = 32768;  // rows that k-means++ looks at

std::vector<float> gather(std::span<const float> rows, size_t dim,
                          const std::vector<size_t>& picks) {
  std::vector<float> out;
  out.reserve(picks.size() * dim);
  for (const size_t i : picks) {
    out.insert(out.end(), rows.begin() + std::ptrdiff_t(i * dim),
               rows.begin() + std::ptrdiff_t((i + 1) * dim));
  }
  return out;
}

// `count` distinct rows (all if there are no more).
std::vector<float> sample_rows(std::span<const float> rows, size_t dim, size_t count, Rng& rng) {
  const size_t n = rows.size() / dim;
  if (count == 0 || count >= n) return {rows.begin(), rows.end()};
  std::vector<size_t> picks(n);
  std::iota(picks.begin(), picks.end(), size_t{0});
  for (size_t i = 0; i < count; ++i) std::swap(picks[i], picks[i + rng.below(n - i)]);
  picks.resize(count);
  return gather(rows, dim, picks);
}

// Each next centroid is drawn with probability proportional to the squared distance.
std::vector<float> plus_plus(std::span<const float> rows, size_t dim, size_t clusters, Rng& rng,
                             int threads) {
  const size_t n = rows.size() / dim;
  std::vector<size_t> picks = {rng.below(n)};
  std::vector<float> distance(n, std::numeric_limits<float>::max());
  while (picks.size() < clusters) {
    const float* last = &rows[picks.back() * dim];
    parallel_for(threads, n, 2048, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        distance[i] = std::min(distance[i], kernels::squared_distance(&rows[i * dim], last, dim));
      }
    });
    const double total = std::accumulate(distance.begin(), distance.end(), 0.0);
    double left = rng.uniform() * total;
    size_t pick = total > 0 ? 0 : rng.below(n);
    if (total > 0) {
      while (pick + 1 < n && (left -= distance[pick]) >= 0) ++pick;
    }
    picks.push_back(pick);
  }
  return gather(rows, dim, picks);
}

void update(std::span<const float> rows, size_t dim, const std::vector<uint32_t>& owner,
            const std::vector<float>& distance, bool keep_empty, std::vector<float>& centroids) {
  const size_t clusters = centroids.size() / dim;
  std::vector<float> sums(centroids.size());
  std::vector<uint32_t> counts(clusters);
  for (size_t i = 0; i < owner.size(); ++i) {
    kernels::axpy(1, &rows[i * dim], &sums[owner[i] * dim], dim);
    ++counts[owner[i]];
  }
  std::vector<size_t> farthest;
  if (!keep_empty && std::count(counts.begin(), counts.end(), 0U) > 0) {
    farthest.resize(owner.size());
    std::iota(farthest.begin(), farthest.end(), size_t{0});
    std::stable_sort(farthest.begin(), farthest.end(),
                     [&](size_t a, size_t b) { return distance[a] > distance[b]; });
  }
  size_t next = 0;
  for (size_t c = 0; c < clusters; ++c) {
    float* centroid = &centroids[c * dim];
    if (counts[c] > 0) {
      std::fill_n(centroid, dim, 0.0F);
      kernels::axpy(1.0F / float(counts[c]), &sums[c * dim], centroid, dim);
    } else if (next < farthest.size()) {
      std::copy_n(&rows[farthest[next++] * dim], dim, centroid);
    }
  }
}

}  // namespace

std::vector<uint32_t> assign(std::span<const float> rows, size_t dim,
                             std::span<const float> centroids, int threads,
                             std::vector<float>* distance) {
  const size_t n = rows.size() / dim, clusters = centroids.size() / dim;
  std::vector<float> norm(clusters);
  for (size_t c = 0; c < clusters; ++c) {
    norm[c] = kernels::dot(&centroids[c * dim], &centroids[c * dim], dim) / 2;
  }
  std::vector<uint32_t> owner(n);
  if (distance != nullptr) distance->resize(n);
  constexpr size_t kChunk = 1024;
  parallel_for(threads, n, kChunk, [&](size_t begin, size_t end) {
    std::vector<float> products((end - begin) * clusters);
    kernels::matmul_nt(&rows[begin * dim], centroids.data(), products.data(), end - begin, clusters,
                       dim);
    for (size_t i = begin; i < end; ++i) {
      const float* product = &products[(i - begin) * clusters];
      size_t best = 0;  // argmin |x - c|^2 = argmin |c|^2 / 2 - x.c
      for (size_t c = 1; c < clusters; ++c) {
        if (norm[c] - product[c] < norm[best] - product[best]) best = c;
      }
      owner[i] = static_cast<uint32_t>(best);
      if (distance != nullptr) {
        (*distance)[i] = kernels::squared_distance(&rows[i * dim], &centroids[best * dim], dim);
      }
    }
  });
  return owner;
}

std::vector<float> kmeans(std::span<const float> rows, size_t dim, const KmeansOptions& options,
                          Rng rng, int threads) {
  PODIUM_CHECK(dim > 0 && !rows.empty() && options.clusters > 0);
  const std::vector<float> start = sample_rows(rows, dim, kStartSample, rng);
  std::vector<float> centroids =
      plus_plus(start, dim, static_cast<size_t>(options.clusters), rng, threads);
  std::vector<float> distance, batch;
  std::vector<uint32_t> before;
  for (int i = 0; i < options.iterations; ++i) {
    stop_if_interrupted();
    std::span<const float> seen = rows;
    if (options.batch > 0) {
      batch = sample_rows(rows, dim, options.batch, rng);
      seen = batch;
    }
    std::vector<uint32_t> owner = assign(seen, dim, centroids, threads, &distance);
    if (options.batch == 0 && owner == before) break;
    update(seen, dim, owner, distance, options.batch > 0, centroids);
    before = std::move(owner);
  }
  return centroids;
}

}  // namespace podium::sid
