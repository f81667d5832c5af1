#include "podium/eval/compare.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"

namespace podium::eval {
namespace {

// One target a user, with these ranks of one stage.
SavedResults results(std::vector<int32_t> rank, const std::string& stage = "upstream") {
  SavedResults saved;
  for (size_t t = 0; t < rank.size(); ++t) {
    saved.targets.targets.push_back({.user = uint32_t(t)});
  }
  saved.targets.popularity = {1, 2, 3};
  StageResult s;
  s.stage = stage;
  s.lists.resize(rank.size());
  s.rank = std::move(rank);
  saved.stages.push_back(std::move(s));
  return saved;
}

TEST(Compare, PairsUsersOverSeeds) {
  const auto stages =
      compare({results({0, 3, 20, -1}), results({0, 12, 0, -1})},
              {results({0, 30, 20, -1}), results({0, 30, 0, 40})}, {.resamples = 500}, 2);
  ASSERT_EQ(stages.size(), 1U);
  EXPECT_EQ(stages[0].stage, "upstream");
  EXPECT_DOUBLE_EQ(stages[0].before[kR10].value, 3 / 8.0);
  EXPECT_DOUBLE_EQ(stages[0].now[kR10].value, 4 / 8.0);
  EXPECT_DOUBLE_EQ(stages[0].difference[kR10].value, 1 / 8.0);
  // The one user who gains, in one of her two: drawn between no time and four times.
  EXPECT_DOUBLE_EQ(stages[0].difference[kR10].low, 0);
  EXPECT_GE(stages[0].difference[kR10].high, 2 / 8.0);
  EXPECT_NE(render(stages).find("+33.3 %"), std::string::npos) << render(stages);
  EXPECT_EQ(to_json(stages)[0].at("stage"), "upstream");
}

TEST(Compare, RefusesWhatCannotBePaired) {
  const auto now = results({0, 1}), other = results({0, 1, 2});
  EXPECT_THROW(compare({now}, {other}, {}, 1), Error) << "other targets";
  EXPECT_THROW(compare({now, now}, {now}, {}, 1), Error) << "two with one";
  EXPECT_THROW(compare({now}, {results({0, 1}, "sasrec")}, {}, 1), Error) << "nothing in common";
}

}  // namespace
}  // namespace podium::eval
