#include <algorithm>

#include "podium/serve/test_api.h"

namespace podium::serve {
namespace {

class RulesRoutesTest : public ApiTest {
 protected:
  std::pair<int, Json> put_rules(const std::string& toml) {
    return call("PUT", "/v1/rules", Json({{"toml", toml}}).dump());
  }
};

constexpr const char* kAsk = R"({"user": "u3", "k": 5, "time": 2000000})";
constexpr const char* kInStock = R"(
[[filter]]
name = "in stock"
reason = "sold out"
drop = { field = "available", equals = false }
)";

TEST_F(RulesRoutesTest, WhatIsSoldOutIsNotShown) {
  const auto before = recommended(kAsk);
  ASSERT_EQ(put_rules(kInStock).first, 200);
  EXPECT_EQ(recommended(kAsk), before) << "all is in stock";
  const std::string item = before[1];
  EXPECT_EQ(call("PATCH", "/v1/items/" + item, R"({"fields": {"available": false}})").first, 200);
  EXPECT_EQ(call("GET", "/v1/items/" + item).second["fields"]["available"], false);
  const Json answer =
      call("POST", "/v1/recommend", R"({"user": "u3", "k": 5, "time": 2000000, "debug": true})")
          .second;
  EXPECT_EQ(answer["items"].size(), 5u) << "another takes its place";
  for (const Json& told : answer["items"]) EXPECT_NE(told["id"], item);
  ASSERT_EQ(answer["removed"].size(), 1u);
  EXPECT_EQ(answer["removed"][0]["reason"], "sold out");
  EXPECT_EQ(call("PATCH", "/v1/items/" + item, R"({"fields": {"available": null}})").first, 200);
  EXPECT_EQ(recommended(kAsk), before);
}

TEST_F(RulesRoutesTest, RulesReadTheRequestAndSayWhatTheyDid) {
  ASSERT_EQ(put_rules(R"(
[[pin]]
name = "hero"
item = "i31"
place = 1
when = { request = "page", equals = "home" }
)")
                .first,
            200);
  const Json home =
      call("POST", "/v1/recommend", R"({"history": ["i20"], "k": 40, "context": {"page": "home"}})")
          .second;
  EXPECT_EQ(home["items"][0]["id"], "i31");
  EXPECT_TRUE(home["items"][0].contains("rules"));
  EXPECT_EQ(problem("POST", "/v1/recommend", R"({"context": {"page": 7}})"), "400 context.page");
}

TEST_F(RulesRoutesTest, WrongRulesChangeNothing) {
  ASSERT_EQ(put_rules(kInStock).first, 200);
  const auto [status, told] = put_rules("[[filter]]\nname = \"x\"\ndorp = 1\n");
  EXPECT_EQ(status, 400);
  const Json rules = call("GET", "/v1/rules").second;
  EXPECT_EQ(rules["toml"], kInStock);
  EXPECT_EQ(rules["rules"].size(), 1u);
}

TEST_F(RulesRoutesTest, TheFileIsReadAgainAndKept) {
  write_file_atomic(rules_.file(), kInStock);
  EXPECT_TRUE(rules_.reload());
  EXPECT_FALSE(rules_.reload());
  EXPECT_FALSE(rules_.now()->empty());
  write_file_atomic(rules_.file(), "nonsense");
  EXPECT_THROW((void)rules_.reload(), Error);
  EXPECT_FALSE(rules_.reload()) << "told once";
  EXPECT_FALSE(rules_.now()->empty()) << "those before stay";
  ASSERT_EQ(put_rules("").first, 200);
  EXPECT_TRUE(ActiveRules(rules_.file()).now()->empty());
}

TEST_F(RulesRoutesTest, ThompsonLearnsFromWhatWasShownAndTaken) {
  const Json rules = put_rules("[explore]\nmethod = \"thompson\"\nwindow = 5\n").second;
  ASSERT_TRUE(rules.contains("toml")) << rules.dump();
  Json answer = call("POST", "/v1/recommend", kAsk).second;
  ASSERT_TRUE(answer.contains("unmet")) << "nothing was shown yet: " << answer.dump();
  const auto list = recommended(kAsk);
  const std::string liked = list[3];
  const auto times_first = [&] {
    int times = 0;
    for (int i = 0; i < 40; ++i) times += recommended(kAsk)[0] == liked ? 1 : 0;
    return times;
  };
  EXPECT_EQ(times_first(), 0);
  Json impressions = Json::array(), events = Json::array();
  for (int i = 0; i < 60; ++i) {
    const std::string user = fmt::format("visitor{}", i);
    impressions.push_back({{"user", user}, {"items", list}, {"propensities", Json::array()}});
    for (size_t r = 0; r < list.size(); ++r) impressions.back()["propensities"].push_back(0.5);
    events.push_back({{"user", user}, {"item", liked}});
  }
  const Json shown = {{"impressions", std::move(impressions)}};
  const Json taken = {{"events", std::move(events)}};
  ASSERT_EQ(call("POST", "/v1/impressions", shown.dump()).first, 200);
  EXPECT_LT(times_first(), 20) << "everybody was shown, nobody took";
  ASSERT_EQ(call("POST", "/v1/events", taken.dump()).first, 200);
  EXPECT_GT(times_first(), 30);
  answer = call("POST", "/v1/recommend", kAsk).second;
  EXPECT_FALSE(answer.contains("unmet")) << answer.dump();
  const bool told = std::ranges::any_of(
      answer["items"], [](const Json& item) { return item.contains("propensity"); });
  EXPECT_TRUE(told) << answer.dump();
}

TEST_F(RulesRoutesTest, PreviewTellsWhatWouldChange) {
  const auto before = recommended(kAsk);
  const std::string toml =
      "[[filter]]\nname = \"gone\"\nreason = \"recalled\"\nblocked = [\"" + before[0] + "\"]\n";
  const Json told =
      call("POST", "/v1/rules/preview", Json({{"toml", toml}, {"requests", 1}}).dump()).second;
  EXPECT_EQ(told["requests"], 1);
  ASSERT_EQ(told["changed"], 1) << told.dump();
  EXPECT_EQ(told["differences"][0]["before"][0], before[0]);
  EXPECT_EQ(told["differences"][0]["after"][0], before[1]);
  EXPECT_EQ(recommended(kAsk), before) << "nothing has changed yet";
  EXPECT_EQ(call("POST", "/v1/rules/preview", R"({"toml": "", "requests": 7})").second["changed"],
            0);
}

}  // namespace
}  // namespace podium::serve
