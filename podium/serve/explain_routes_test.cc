#include <algorithm>
#include <set>

#include "podium/serve/test_api.h"

namespace podium::serve {
namespace {

class ExplainRoutesTest : public ApiTest {
 protected:
  Json explained(const Json& request) {
    const auto [status, json] = call("POST", "/v1/explain", request.dump());
    EXPECT_EQ(status, 200) << json.dump();
    return json;
  }
  static std::set<std::string> kinds(const Json& item) {
    std::set<std::string> kinds;
    for (const Json& reason : item["reasons"]) kinds.insert(reason["kind"]);
    return kinds;
  }
  static std::vector<std::string> ids(const Json& answer) {
    std::vector<std::string> ids;
    for (const Json& item : answer["items"]) ids.push_back(item["id"]);
    return ids;
  }
};

TEST_F(ExplainRoutesTest, TellsWhyARecommendationIsShown) {
  const Json answer = explained({{"user", "u3"}, {"k", 6}, {"time", 2000000}, {"debug", true}});
  EXPECT_EQ(ids(answer),
            recommended(R"({"user": "u3", "k": 6, "time": 2000000, "explain": true})"));
  EXPECT_FALSE(answer["explanation"].get<std::string>().empty());
  for (const Json& item : answer["items"]) {
    EXPECT_FALSE(item["reasons"].empty()) << item.dump();
    EXPECT_LE(item["reasons"].size(), 3u);
    EXPECT_FALSE(item["evidence"].empty());
    for (const Json& reason : item["reasons"]) {
      EXPECT_EQ(reason["item"], item["id"]);
      EXPECT_TRUE(reason["text"].get<std::string>().ends_with('.'));
      EXPECT_EQ(reason["from"], "evidence") << "this bundle's traces keep to no claims";
    }
  }
  EXPECT_EQ(answer["dropped"], 0);

  const Json silent = explained({{"user", "u3"}, {"k", 6}, {"time", 2000000}, {"trace", false}});
  EXPECT_FALSE(silent.contains("explanation"));
  EXPECT_EQ(ids(silent), recommended(R"({"user": "u3", "k": 6, "time": 2000000})"));
  const std::string metrics = reply(api_, "GET", "/metrics").body;
  EXPECT_NE(metrics.find(R"(podium_explained_claims_total{what="told"})"), std::string::npos);
}

TEST_F(ExplainRoutesTest, BeginsWithWhatTheTraceSays) {
  const fs::path dir = serving::write_test_bundle(root_ / "claims", 80, "exclude", true);
  ActiveBundle bundle(dir, state_ / "claims.json", store_, {.threads = 1});
  Api api(bundle, rules_, *store_, {.threads = 2});
  const Json ask = {{"user", "u3"}, {"k", 10}, {"time", 2000000}, {"debug", true}};
  const HttpReply told = reply(api, "POST", "/v1/explain", ask.dump());
  ASSERT_EQ(told.status, 200) << told.body;
  const Json answer = parse_json(told.body, "reply");
  const std::string trace = answer["explanation"];
  size_t cited = 0;
  for (const Json& item : answer["items"]) {
    const bool first = item["reasons"][0]["from"] == "trace";
    cited += first ? 1 : 0;
    const bool named = trace.find(item["title"].get<std::string>()) != std::string::npos;
    EXPECT_TRUE(named || !first) << trace;
    bool after = false;  // reasons from elsewhere come later
    for (const Json& reason : item["reasons"]) {
      after = after || reason["from"] == "evidence";
      EXPECT_EQ(after, reason["from"] == "evidence") << item.dump();
    }
  }
  EXPECT_EQ(cited, 2u) << trace;
  EXPECT_EQ(answer["dropped"], answer["dropped_claims"].size());
  for (const Json& dropped : answer["dropped_claims"]) {
    EXPECT_NE(trace.find(dropped["said"].get<std::string>()), std::string::npos);
  }
}

TEST_F(ExplainRoutesTest, ExplainsGivenItemsInTheirOrder) {
  const Json items = {"i9", "nothing", "i4"};
  const Json answer = explained({{"user", "u3"}, {"items", items}, {"reasons", 10}});
  EXPECT_EQ(ids(answer), items.get<std::vector<std::string>>());
  EXPECT_EQ(answer["items"][1]["known"], false);
  EXPECT_TRUE(answer["items"][1]["reasons"].empty());
  EXPECT_FALSE(answer["items"][0]["reasons"].empty());

  const Json one = explained({{"history", {"i8"}}, {"items", {"i9"}}, {"reasons", 10}});
  const Json reason = one["items"][0]["reasons"][0];
  EXPECT_EQ(reason["kind"], "together") << "neighbours by number go together";
  EXPECT_EQ(reason["other"], "i8");
  EXPECT_EQ(reason["text"],
            fmt::format("You took “Thing 8 of kind 1”; {} people who took it took this, too.",
                        reason["count"].get<int>()));
}

TEST_F(ExplainRoutesTest, KnowsWhatHappenedSinceAndForgetsTheErased) {
  const Json ask = {{"user", "ada"}, {"items", {"i9"}}, {"reasons", 10}};
  EXPECT_EQ(kinds(explained(ask)["items"][0]), std::set<std::string>{"popular"});
  const auto event = [&](const char* item) {
    const Json events = {{"events", {{{"user", "ada"}, {"item", item}, {"time", 1709164800}}}}};
    ASSERT_EQ(call("POST", "/v1/events", events.dump()).first, 200);
  };
  event("i8");
  const Json together = explained(ask)["items"][0]["reasons"][0];
  EXPECT_EQ(together["date"], "2024-02-29");
  event("i9");
  const Json taken = explained(ask)["items"][0]["reasons"][0];
  EXPECT_EQ(taken["text"], "You took it 1 time, the last on 2024-02-29.");
  const Json again = explained(ask)["items"][0]["reasons"][1];
  EXPECT_EQ(again, together) << "people are those of the training log";

  EXPECT_EQ(call("DELETE", "/v1/users/ada").first, 204);
  EXPECT_EQ(kinds(explained(ask)["items"][0]), std::set<std::string>{"popular"});
  EXPECT_EQ(call("DELETE", "/v1/users/u3").first, 204);
  const Json of_erased = {{"user", "u3"}, {"k", 5}, {"reasons", 10}, {"debug", true}};
  const Json answer = explained(of_erased);
  for (const Json& item : answer["items"]) {
    for (const Json& reason : item["reasons"]) EXPECT_FALSE(reason.contains("other"));
  }
}

TEST_F(ExplainRoutesTest, ANewItemIsNew) {
  ASSERT_EQ(call("PUT", "/v1/items/x", R"({"title": "A lamp", "brand": "brand1"})").first, 200);
  const Json item = explained({{"history", {"i1"}}, {"items", {"x"}}, {"reasons", 10}})["items"][0];
  EXPECT_EQ(kinds(item), (std::set<std::string>{"brand", "new"}));
}

TEST_F(ExplainRoutesTest, RulesHoldForWhatIsExplained) {
  const std::string rules = R"([[filter]]
name = "recalled"
blocked = ["%"])";
  const Json ask = {{"user", "u5"}, {"k", 3}, {"time", 2000000}};
  const auto before = ids(explained(ask));
  std::string blocked = rules;
  blocked.replace(blocked.find('%'), 1, before[0]);
  ASSERT_EQ(call("PUT", "/v1/rules", Json({{"toml", blocked}}).dump()).first, 200);
  const auto after = ids(explained(ask));
  EXPECT_EQ(after.size(), 3u);
  EXPECT_EQ(std::ranges::count(after, before[0]), 0);
}

TEST_F(ExplainRoutesTest, ManyAtOnceAreAnsweredEachByItself) {
  const Json good = {{"id", "q"}, {"user", "u3"}, {"items", {"i9", "i4"}}};
  const Json bad = {{"user", "u3"}, {"items", Json::array()}};
  const Json answers = explained({{"requests", {good, bad, good}}})["answers"];
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0], explained(good));
  EXPECT_EQ(answers[1]["field"], "items");
  EXPECT_EQ(answers[2]["id"], "q");
}

TEST_F(ExplainRoutesTest, SaysWhatIsWrong) {
  const auto wrong = [&](const char* body) { return problem("POST", "/v1/explain", body); };
  EXPECT_EQ(wrong("[]"), "400 ");
  EXPECT_EQ(wrong(R"({"items": 3})"), "400 items");
  EXPECT_EQ(wrong(R"({"items": ["a", "a"]})"), "400 items[1]");
  EXPECT_EQ(wrong(R"({"items": ["a", ""]})"), "400 items[1]");
  EXPECT_EQ(wrong(R"({"items": ["a"], "k": 3})"), "400 k");
  EXPECT_EQ(wrong(R"({"k": 101})"), "400 k");
  EXPECT_EQ(wrong(R"({"reasons": 11})"), "400 reasons");
  EXPECT_EQ(wrong(R"({"trace": 1})"), "400 trace");
  EXPECT_EQ(wrong(R"({"explain": true})"), "400 explain");
  EXPECT_EQ(wrong(R"({"user": "u", "history": []})"), "400 history");
  EXPECT_EQ(wrong(R"({"requests": [], "k": 1})"), "400 k");
  Json many = Json::array();
  for (int i = 0; i < 101; ++i) many.push_back(i);
  EXPECT_EQ(wrong(Json({{"items", many}}).dump().c_str()), "400 items");
}

}  // namespace
}  // namespace podium::serve
