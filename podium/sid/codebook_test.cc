#include "podium/sid/codebook.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/sid/kmeans.h"

namespace podium::sid {
namespace {

std::vector<float> blobs(size_t n, int dim) {
  Rng rng(7);
  std::vector<float> rows;
  for (size_t i = 0; i < n; ++i) {
    for (int j = 0; j < dim; ++j) {
      rows.push_back(float(rng.normal() * 0.1) + (j == int(i % 4) ? 5.0F : 0.0F));
    }
  }
  return rows;
}

TEST(Kmeans, FindsSeparatedBlobs) {
  const auto rows = blobs(200, 4);
  const auto centroids = kmeans(rows, 4, {.clusters = 4}, Rng(1), 2);
  const auto owner = assign(rows, 4, centroids, 2);
  for (size_t i = 4; i < owner.size(); ++i) EXPECT_EQ(owner[i], owner[i % 4]);
  EXPECT_NE(owner[0], owner[1]);
}

TEST(Sid, CodesRule) {
  EXPECT_EQ(codes_for(100, 256), 16);
  EXPECT_EQ(codes_for(1682, 256), 256);
  EXPECT_EQ(codes_for(500, 256), 64);
}

TEST(Sid, UniqueEvenForEqualVectors) {
  const std::vector<float> rows(10 * 8, 1.0F);
  const SidModel model = fit_rq_kmeans(rows, 8, {}, 3, 1);
  EXPECT_DOUBLE_EQ(model.table.uniqueness(), 1.0);
}

TEST(Sid, UniqueEvenForMoreEqualVectorsThanCodes) {
  const std::vector<float> rows(600 * 8, 0.0F);  // 64 codes: 600 > 64
  EXPECT_DOUBLE_EQ(fit_rq_kmeans(rows, 8, {}, 3, 1).table.uniqueness(), 1.0);
}

TEST(Sid, ThreadsDoNotMatterAndSeedsDo) {
  const auto rows = blobs(300, 8);
  const auto a = fit_rq_kmeans(rows, 8, {}, 3, 1), b = fit_rq_kmeans(rows, 8, {}, 3, 3);
  EXPECT_EQ(a.table.codes, b.table.codes);
  EXPECT_EQ(a.centroids, b.centroids);
  EXPECT_NE(a.table.codes, fit_rq_kmeans(rows, 8, {}, 4, 1).table.codes);
}

TEST(Sid, SavesAndLoadsAndSpells) {
  SidModel model = fit_rq_kmeans(blobs(40, 8), 8, {}, 3, 1);
  const fs::path dir = scratch("sid");
  save_sid(dir, model);
  EXPECT_EQ(load_sid(dir).table.codes, model.table.codes);
  model.table.codes = {57, 7, 23, 4};
  EXPECT_EQ(model.table.spell(0), "<s_a_57><s_b_7><s_c_23><s_d_4>");
}

}  // namespace
}  // namespace podium::sid
