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

// Baskets of 2, 1, 2 and 2 things, a day each, and a user of one basket.
Dataset basket_dataset() {
  const fs::path dir = scratch("baskets");
  DatasetBuilder builder;
  const auto buy = [&](const char* user, const char* item, int day) {
    builder.add_event({user, item, day * 86400, 1});
  };
  for (const char* item : {"a", "b"}) buy("u", item, 1);
  buy("u", "c", 2);
  for (const char* item : {"d", "e"}) buy("u", item, 3);
  for (const char* item : {"f", "g"}) buy("u", item, 4);
  for (const char* item : {"a", "c"}) buy("v", item, 4);
  builder.write(dir, "baskets", 0, Json::object());
  return Dataset::open(dir);
}

std::string answers_of(const Phase& phase) {
  std::string text;
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    text += phase.slate_id(t) + ":";
    for (const ItemIndex item : phase.answers(t)) text += phase.fit.dataset->item_id(item);
    text += " ";
  }
  return text;
}

TEST(Baskets, AreHeldOutWhole) {
  const Dataset dataset = basket_dataset();
  SplitOptions options;
  options.baskets = true;
  const Split split = make_split(dataset, options);
  EXPECT_EQ(answers_of(split.slates), "u@2:c ");
  EXPECT_EQ(answers_of(split.valid), "u@3:de ");
  EXPECT_EQ(answers_of(split.test), "u@5:fg ");
  EXPECT_EQ(split.test.fit.length[0], 5u);
  EXPECT_EQ(answers_of(split.test.by_events()), "u@5:fg ");
  options.slate_targets = 2;
  EXPECT_EQ(answers_of(make_split(dataset, options).slates), "u@2:c ") << "one needs a history";
  options.baskets = false;
  EXPECT_EQ(answers_of(make_split(dataset, options).test), "u@6:g v@1:c ");
}

TEST(Baskets, AreOneTargetBetweenTwoBorders) {
  const Dataset dataset = basket_dataset();
  SplitOptions options;
  options.protocol = "global-time";
  options.baskets = true;
  options.before_t0 = 0.25;  // of nine events: day 2, day 3, day 4
  options.before_t1 = 0.35;
  options.before_t2 = 0.65;
  const Split split = make_split(dataset, options);
  EXPECT_EQ(answers_of(split.slates), "u@2:c ");
  EXPECT_EQ(answers_of(split.valid), "u@3:de ");
  EXPECT_EQ(answers_of(split.test), "u@5:fg ");
}

// Ten users, an event a day; a slate before each of the events 2 .. 9 with its item and another.
Dataset shown_dataset() {
  const fs::path dir = scratch("shown");
  DatasetBuilder builder;
  for (int u = 0; u < 10; ++u) {
    const std::string user = "u" + std::to_string(u);
    for (int t = 0; t < 10; ++t) {
      const std::string item = "i" + std::to_string(t), other = "j" + std::to_string(t);
      builder.add_item({item, "", "", "", {}, 1});
      builder.add_item({other, "", "", "", {}, 1});
      builder.add_event({user, item, t * 86400 + 10, 1});
      if (t < 2) continue;
      const std::vector<std::string_view> shown = {other, item};
      const std::vector<uint8_t> clicked = {0, uint8_t(t != 5)};
      builder.add_shown({user, t * 86400, shown, clicked});
    }
  }
  builder.write(dir, "shown", 0, {});
  return Dataset::open(dir);
}

TEST(ByImpressions, SlatesFollowTheEventsThatTheyMayKnow) {
  const Dataset dataset = shown_dataset();
  SplitOptions options;
  options.protocol = "impressions";
  options.before_t0 = 0.25, options.before_t1 = 0.5, options.before_t2 = 0.75;
  const Split split = make_split(dataset, options);
  // Days 2 and 3 train nothing but sources; nobody clicked on day 5.
  const std::map<std::string, std::vector<int64_t>> days = {
      {"slates", {4}}, {"valid", {6, 7}}, {"test", {8, 9}}};
  for (const Phase* phase : {&split.slates, &split.valid, &split.test}) {
    const auto& expected = days.at(phase->name);
    ASSERT_EQ(phase->targets.size(), 10 * expected.size());
    ASSERT_EQ(phase->shown.size(), phase->targets.size());
    for (size_t t = 0; t < phase->targets.size(); ++t) {
      const int64_t day = expected[t % expected.size()];
      EXPECT_EQ(phase->time(t), day * 86400);
      EXPECT_EQ(phase->targets[t].position, uint32_t(day)) << "the events before the slate";
      EXPECT_EQ(phase->fit.length[phase->targets[t].user], uint32_t(expected[0]));
      const auto answers = phase->answers(t);
      ASSERT_EQ(answers.size(), 1u);
      EXPECT_EQ(dataset.item_id(answers[0]), "i" + std::to_string(day));
    }
    EXPECT_EQ(phase->next_events().size(), phase->targets.size());
    const Phase events = phase->by_events();
    EXPECT_EQ(events.targets, phase->next_events());
    for (size_t t = 0; t < events.targets.size(); ++t) {
      EXPECT_EQ(events.time(t), phase->time(t) + 10) << "of the click, not of the slate";
      EXPECT_EQ(events.answers(t), phase->answers(t));
    }
    EXPECT_EQ(seen_targets(*phase), 0u);
  }
}

TEST(ByImpressions, ClicksThatFewLookedAtCountForMore) {
  DatasetBuilder builder;
  for (int u = 0; u < 20; ++u) {
    const std::string user = "u" + std::to_string(u);
    for (int t = 0; t < 10; ++t) {
      builder.add_event({user, "i" + std::to_string(t), t * 86400 + 10, 1});
      if (t == 0) continue;
      std::vector<uint8_t> clicked(4);
      clicked[u % 2 == 0 ? 0 : 3] = 1;
      builder.add_shown(
          {user, t * 86400, std::vector<std::string_view>{"i0", "i1", "i2", "i3"}, clicked});
    }
  }
  const fs::path dir = scratch_dir("looked-at") / "data";
  builder.write(dir, "looked at", 0, {});
  const Dataset dataset = Dataset::open(dir);
  SplitOptions options;
  options.protocol = "impressions";
  options.position_bias = 0.5;
  const Phase test = make_split(dataset, options).test;
  ASSERT_FALSE(test.targets.empty());
  double sum = 0;
  for (size_t t = 0; t < test.targets.size(); ++t) {
    const std::string id(dataset.user_id(test.targets[t].user));
    const bool last = std::stoi(id.substr(1)) % 2 == 1;
    EXPECT_FLOAT_EQ(test.weight(t), last ? 4.0F / 3 : 2.0F / 3) << "1 and 4^0.5, of mean 1.5";
    sum += test.weight(t);
  }
  EXPECT_NEAR(sum, double(test.targets.size()), 1e-3);
  options.position_bias = 0;
  EXPECT_EQ(make_split(dataset, options).test.weight(0), 1.0F);
}

TEST(ByImpressions, SaysWhatIsMissing) {
  SplitOptions options;
  options.protocol = "impressions";
  EXPECT_THROW(make_split(dataset_of({4, 9}), options), Error) << "no impressions";
  options.before_t1 = 0.99, options.before_t2 = 0.995;
  EXPECT_THROW(make_split(shown_dataset(), options), Error) << "no slate between t1 and t2";
}

TEST(MakeSplit, UnknownProtocolIsAnError) {
  SplitOptions options;
  options.protocol = "random";
  EXPECT_THROW(make_split(dataset_of({4}), options), Error);
}

}  // namespace
}  // namespace podium::data
