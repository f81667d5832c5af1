#include "podium/data/describe.h"

#include <gtest/gtest.h>

#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/split.h"

namespace podium::data {
namespace {

Dataset bought(const std::string& name,
               const std::vector<std::pair<std::string, std::string>>& rows) {
  DatasetBuilder builder;
  int64_t time = 0;
  for (const auto& [user, item] : rows) builder.add_event({user, item, time += 86400, 1});
  const fs::path dir = scratch(name);
  builder.write(dir, name, 0, {});
  return Dataset::open(dir);
}

TEST(Describe, SharesOfRepeatsByHand) {
  const Dataset d = bought(
      "again",
      {{"u", "milk"}, {"u", "bread"}, {"v", "milk"}, {"u", "milk"}, {"v", "milk"}, {"u", "eggs"}});
  const Description description = describe(d);
  EXPECT_EQ(description.repeats, 2u);
  EXPECT_EQ(description.last_repeats, 1u);  // v's
  EXPECT_EQ(proposed_seen_rule(description), "decay");
  EXPECT_NE(describe_text(description)
                .find("repeats: 33.3 % of events, 50.0 % of last events; train with --seen decay"),
            std::string::npos)
      << describe_text(description);
  EXPECT_NE(describe_html(description).find("--seen decay"), std::string::npos);
  EXPECT_EQ(describe_json(description).at("proposed_seen"), "decay");
}

TEST(Describe, WithoutRepeatsSeenItemsStayOut) {
  const Description description = describe(bought("once", {{"u", "a"}, {"u", "b"}, {"v", "a"}}));
  EXPECT_EQ(description.repeats, 0u);
  EXPECT_EQ(proposed_seen_rule(description), "exclude");
}

TEST(Split, CountsTheTargetsThatTheUserHas) {
  const Dataset d = bought("targets", {{"u", "a"},
                                       {"u", "b"},
                                       {"u", "a"},
                                       {"u", "c"},
                                       {"v", "c"},
                                       {"v", "a"},
                                       {"v", "b"},
                                       {"v", "c"}});
  const Split split = leave_one_out(d, 3);
  EXPECT_EQ(seen_targets(split.test), 1u);   // v's c
  EXPECT_EQ(seen_targets(split.valid), 1u);  // u's a
  Phase all{"all", split.test.fit, {}};
  for (UserIndex user : {0U, 1U}) {
    for (uint32_t position : {1U, 2U, 3U}) all.targets.push_back({user, position});
  }
  EXPECT_EQ(seen_targets(all), 2u);
}

}  // namespace
}  // namespace podium::data
