#include "podium/data/split_options.h"

#include <gtest/gtest.h>

#include <map>

#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"

namespace podium::data {
namespace {

Dataset dataset_of(const std::vector<int>& lengths) {
  const fs::path dir = scratch("split_options");
  DatasetBuilder builder;
  for (size_t u = 0; u < lengths.size(); ++u) {
    for (int t = 0; t < lengths[u]; ++t) {
      builder.add_event({"u" + std::to_string(u), "i" + std::to_string(t), t, 1.0f});
    }
  }
  builder.write(dir, "lengths", 0, Json::object());
  return Dataset::open(dir);
}

TEST(SlateTargets, LieBehindTheViewAndBeforeTheValidationEvent) {
  const Dataset dataset = dataset_of({1, 2, 3, 4, 5, 8, 40});
  SplitOptions options;
  options.slate_targets = 5;
  const Split split = make_split(dataset, options);
  std::vector<uint32_t> count(dataset.users(), 0);
  for (const Target& t : split.slates.targets) {
    EXPECT_GE(t.position, split.slates.fit.length[t.user]);
    EXPECT_LT(t.position, split.valid.fit.length[t.user]);
    ++count[t.user];
  }
  for (UserIndex u = 0; u < dataset.users(); ++u) {
    const auto n = uint32_t(dataset.items_of(u).size());
    // n: targets. 4 leaves [0, 2) before valid's event: half of it.
    const std::map<uint32_t, uint32_t> expected{{1, 0}, {2, 0}, {3, 0}, {4, 1},
                                                {5, 1}, {8, 3}, {40, 5}};
    EXPECT_EQ(count[u], expected.at(n)) << n;
    if (count[u] > 0) {
      EXPECT_EQ(split.slates.fit.length[u] + count[u], n - 2);
    }
  }
}

TEST(SlateTargets, OneIsTheDefault) {
  const Dataset dataset = dataset_of({4, 9});
  const Split a = leave_one_out(dataset), b = make_split(dataset, {});
  EXPECT_EQ(a.slates.targets, b.slates.targets);
  EXPECT_EQ(a.slates.targets.size(), 2u);
}

TEST(MakeSplit, UnknownProtocolIsAnError) {
  SplitOptions options;
  options.protocol = "random";
  EXPECT_THROW(make_split(dataset_of({4}), options), Error);
}

}  // namespace
}  // namespace podium::data
