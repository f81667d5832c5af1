#include "podium/sid/last_level.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "podium/base/rng.h"

namespace podium::sid {
namespace {

std::map<uint16_t, int> counts_of(const std::vector<uint16_t>& codes) {
  std::map<uint16_t, int> counts;
  for (const uint16_t code : codes) ++counts[code];
  return counts;
}

TEST(LastLevel, RowsThatAllWantOneCodeAreSharedOutEvenly) {
  constexpr size_t kRows = 64, kCodes = 16;
  Rng rng(3);
  std::vector<float> distances;
  for (size_t i = 0; i < kRows * kCodes; ++i) {
    distances.push_back(i % kCodes == 5 ? 0.01F : 1 + float(rng.uniform()));
  }
  const auto counts = counts_of(assign_evenly(distances, kCodes));
  EXPECT_EQ(counts.size(), kCodes);
  for (const auto& [code, count] : counts) EXPECT_EQ(count, int(kRows / kCodes)) << code;
  const std::vector<float> few(distances.begin(), distances.begin() + 10 * kCodes);
  EXPECT_EQ(counts_of(assign_evenly(few, kCodes)).size(), 10u) << "all different";
}

TEST(LastLevel, RowsThatWantDifferentCodesGetThem) {
  constexpr size_t kCodes = 8;
  const std::vector<uint16_t> wanted = {3, 0, 7, 1, 2, 6, 4, 5};
  std::vector<float> distances(kCodes * kCodes, 1.0F);
  for (size_t i = 0; i < kCodes; ++i) distances[i * kCodes + wanted[i]] = 0.1F;
  EXPECT_EQ(assign_evenly(distances, kCodes), wanted);
  EXPECT_EQ(assign_evenly(std::vector<float>(kCodes, 0.0F), kCodes).size(), 1u) << "no distance";
}

TEST(LastLevel, SpreadsOneVectorsItemsBelowTheirPrefixes) {
  // 40 items of one vector below one of 16 codes: more than a prefix can tell apart.
  constexpr size_t kItems = 40, kCodes = 16;
  SidTable table{2, int(kCodes), std::vector<uint16_t>(kItems * 2, 4)};
  const std::vector<float> residuals(kItems * 2, 1.0F);
  std::vector<float> centroids;
  for (size_t c = 0; c < kCodes; ++c) centroids.insert(centroids.end(), {float(c), 0.0F});
  spread_last_level(table, residuals, centroids);
  EXPECT_EQ(table.uniqueness(), 1);
  const auto moved =
      std::count_if(table.codes.begin(), table.codes.end(),
                    [n = 0](uint16_t code) mutable { return n++ % 2 == 0 && code != 4; });
  EXPECT_EQ(moved, std::ptrdiff_t(kItems - kCodes)) << "no more than must";
}

}  // namespace
}  // namespace podium::sid
