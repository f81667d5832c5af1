// Clustered random vectors to semantic IDs: vectors a second, and the share of the machine's
// floating-point speed that the distance products of k-means reach.
//
//   sid_bench [--items 1000000] [--dim 256] [--minibatch 100000] [--threads N]
#include <fmt/format.h>

#include <cmath>

#include "bench/measure.h"
#include "podium/base/progress.h"
#include "podium/base/rng.h"
#include "podium/sid/codebook.h"

namespace podium::bench {
namespace {

constexpr size_t kClusters = 2000, kChunk = 4096;
constexpr double kSpread = 0.6;  // of a vector around its cluster's centre, in centre lengths

// Unit rows [items, dim] around kClusters random centres.
std::vector<float> clustered(size_t items, size_t dim, int threads) {
  Rng centre_rng(1);
  std::vector<float> centres(kClusters * dim);
  for (float& value : centres) value = float(centre_rng.normal());
  std::vector<float> rows(items * dim);
  parallel_for(threads, items, kChunk, [&](size_t begin, size_t end) {
    Rng rng = Rng(2).fork(begin);
    for (size_t i = begin; i < end; ++i) {
      float* row = &rows[i * dim];
      const float* centre = &centres[rng.below(kClusters) * dim];
      for (size_t d = 0; d < dim; ++d) row[d] = centre[d] + float(kSpread * rng.normal());
      const float norm = std::sqrt(kernels::dot(row, row, dim));
      for (size_t d = 0; d < dim; ++d) row[d] /= norm;
    }
  });
  return rows;
}

// Operations of the products of vectors with centroids: every iteration sees a batch, or all rows
// without one, and each level assigns all rows once more.
double product_operations(double items, double dim, const sid::SidModel& model,
                          const sid::SidOptions& options) {
  const double batch = std::min(items, options.minibatch > 0 ? options.minibatch : items);
  const int fitted = options.levels - (options.random_last_level ? 1 : 0);
  return fitted * 2.0 * dim * model.table.codes_per_level * (options.iterations * batch + items);
}

int run(int argc, char** argv) {
  const auto items = size_t(argument(argc, argv, "items", 1000000));
  const auto dim = size_t(argument(argc, argv, "dim", 256));
  const int threads = int(argument(argc, argv, "threads", default_threads()));
  const std::vector<float> rows = clustered(items, dim, threads);
  sid::SidOptions options;
  options.minibatch = int(argument(argc, argv, "minibatch", 100000));
  sid::SidModel model;
  const double machine = machine_flops(threads);
  const double time =
      seconds([&] { model = sid::fit_rq_kmeans(rows, int(dim), options, 1, threads); });
  const double operations = product_operations(double(items), double(dim), model, options);
  fmt::print("semantic IDs of {} x {} vectors, {} levels of {} codes, {} threads\n", items, dim,
             model.table.levels, model.table.codes_per_level, threads);
  fmt::print("  {:.1f} s, {:.0f} vectors/s, {:.2f} % unique\n", time, double(items) / time,
             100 * model.table.uniqueness());
  fmt::print("  {:.1f} GFLOP/s of this machine's {:.1f} in large products: {:.0f} %\n",
             operations / time / 1e9, machine / 1e9, 100 * operations / time / machine);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::run(argc, argv); }
