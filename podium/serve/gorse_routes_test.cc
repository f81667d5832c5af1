// Gorse's calls, as its clients send them.
#include <algorithm>
#include <ctime>
#include <set>

#include "podium/serve/test_api.h"
#include "podium/serve/timestamps.h"

namespace podium::serve {
namespace {

const Json kOne = {{"RowAffected", 1}};

class GorseTest : public ApiTest {
 protected:
  Json get(const std::string& target) {
    const auto [status, json] = call("GET", target);
    EXPECT_EQ(status, 200) << target << json.dump();
    return json;
  }
  // Its rows, when it was answered well.
  Json send(const std::string& method, const std::string& target, const Json& body) {
    const auto [status, json] = call(method, target, body.dump());
    EXPECT_EQ(status, 200) << target << json.dump();
    return json;
  }
  static Json feedback(const std::string& type, const std::string& user, const std::string& item,
                       double value = 0, const std::string& time = "2024-03-01T00:00:00Z") {
    return {{"FeedbackType", type}, {"UserId", user},    {"ItemId", item},
            {"Value", value},       {"Timestamp", time}, {"Comment", "not kept"}};
  }
  static std::vector<std::string> ids_of(const Json& list, const char* name) {
    std::vector<std::string> ids;
    for (const Json& one : list) ids.push_back(one[name]);
    return ids;
  }
};

TEST_F(GorseTest, KeepsItems) {
  const Json item = {{"ItemId", "new"},
                     {"IsHidden", false},
                     {"Categories", {"Shop", "Kind 0"}},
                     {"Comment", "Thing 1 of kind 0"},
                     {"Timestamp", "2024-02-29T10:00:00.5+01:00"},
                     {"Labels", {{"tags", {"red", "blue"}}, {"size", 3}}}};
  EXPECT_EQ(send("POST", "/api/item", item), kOne);
  const Json told = get("/api/item/new");
  EXPECT_EQ(told["Comment"], item["Comment"]);
  EXPECT_EQ(told["Labels"], item["Labels"]);
  EXPECT_EQ(told["Categories"], item["Categories"]);
  EXPECT_EQ(told["Timestamp"], "2024-02-29T09:00:00Z");
  EXPECT_EQ(told["IsHidden"], false);
  EXPECT_EQ(get("/v1/items/new")["description"], "red blue") << "models read labels as words";
  // As the Python client changes one: what is null stays.
  EXPECT_EQ(send("PATCH", "/api/item/new",
                 {{"Comment", "other"},
                  {"Labels", nullptr},
                  {"Categories", nullptr},
                  {"IsHidden", nullptr},
                  {"Timestamp", nullptr}}),
            kOne);
  EXPECT_EQ(get("/api/item/new")["Comment"], "other");
  EXPECT_EQ(get("/api/item/new")["Labels"], item["Labels"]);
  EXPECT_EQ(send("PUT", "/api/item/new/category/A%2FB", nullptr), kOne);
  EXPECT_EQ(send("DELETE", "/api/item/new/category/Shop", nullptr), kOne);
  EXPECT_EQ(get("/api/item/new")["Categories"], Json({"Kind 0", "A/B"}));
  EXPECT_EQ(send("DELETE", "/api/item/new", nullptr), kOne);
  EXPECT_EQ(send("DELETE", "/api/item/new", nullptr)["RowAffected"], 0);
  EXPECT_EQ(problem("GET", "/api/item/new"), "404 ");
  EXPECT_EQ(problem("PATCH", "/api/item/new", "{}"), "404 ");
}

TEST_F(GorseTest, TellsOfTrainedItems) {
  EXPECT_EQ(get("/api/item/i7")["Comment"], "Thing 7 of kind 0");
  EXPECT_EQ(get("/api/item/i7")["Timestamp"], "0001-01-01T00:00:00Z");
  EXPECT_EQ(send("PATCH", "/api/item/i7", {{"Comment", "for the next bundle"}}), kOne);
  EXPECT_EQ(get("/api/item/i7")["Comment"], "for the next bundle");
  EXPECT_EQ(get("/v1/items/i7")["title"], "Thing 7 of kind 0");
  EXPECT_EQ(problem("DELETE", "/api/item/i7"), "501 ");
  EXPECT_EQ(problem("PATCH", "/api/item/i7", R"({"IsHidden": true})"), "501 IsHidden");
}

TEST_F(GorseTest, ListsItemsByPages) {
  send("POST", "/api/items", {{{"ItemId", "b"}}, {{"ItemId", "a"}}, {{"ItemId", "i3"}}});
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const Json page = get("/api/items?n=9&cursor=" + cursor);
    for (const auto& id : ids_of(page["Items"], "ItemId")) seen.push_back(id);
    cursor = page["Cursor"];
  } while (!cursor.empty());
  EXPECT_EQ(seen.size(), 42u);
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 42u);
  EXPECT_EQ(seen.back(), "b");
  EXPECT_EQ(ids_of(get("/api/items?q=THING+7&n=5")["Items"], "ItemId"),
            (std::vector<std::string>{"i7"}));
  EXPECT_EQ(get("/api/items?n=0")["Items"], Json::array());
}

TEST_F(GorseTest, KeepsUsers) {
  const Json user = {{"UserId", "ann"}, {"Labels", {{"city", "Oslo"}}}, {"Comment", "likes tea"}};
  EXPECT_EQ(problem("GET", "/api/user/ann"), "404 ");
  EXPECT_EQ(send("POST", "/api/user", user), kOne);
  EXPECT_EQ(get("/api/user/ann"), user);
  EXPECT_EQ(send("PATCH", "/api/user/ann", {{"Comment", "tea, cake"}}), kOne);
  EXPECT_EQ(get("/api/user/ann")["Comment"], "tea, cake");
  EXPECT_EQ(get("/api/user/ann")["Labels"], user["Labels"]);
  EXPECT_EQ(send("POST", "/api/users", {{{"UserId", "bob"}}, {{"UserId", "u3"}}})["RowAffected"],
            2);
  EXPECT_EQ(get("/api/user/u5")["UserId"], "u5") << "the bundle knows them";
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const Json page = get("/api/users?n=7&cursor=" + cursor);
    for (const auto& id : ids_of(page["Users"], "UserId")) seen.push_back(id);
    cursor = page["Cursor"];
  } while (!cursor.empty());
  EXPECT_EQ(seen.size(), 82u);
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 82u);
  for (const char* id : {"ann", "u5"}) {
    EXPECT_EQ(send("DELETE", std::string("/api/user/") + id, nullptr), kOne);
    EXPECT_EQ(send("DELETE", std::string("/api/user/") + id, nullptr)["RowAffected"], 0);
    EXPECT_EQ(problem("GET", std::string("/api/user/") + id), "404 ");
  }
  EXPECT_EQ(get("/api/users?n=1000")["Users"].size(), 80u);
}

TEST_F(GorseTest, KeepsFeedbackByItsType) {
  EXPECT_EQ(send("POST", "/api/feedback",
                 {feedback("read", "u1", "i1", 2), feedback("star", "u1", "i1"),
                  feedback("read", "u2", "i2")})["RowAffected"],
            3);
  send("POST", "/api/feedback", {feedback("read", "u1", "i1", 3, "2024-03-02")});
  const Json read = get("/api/feedback/read/u1/i1");
  EXPECT_EQ(read["Value"], 5) << "POST adds up";
  EXPECT_EQ(read["Timestamp"], "2024-03-02T00:00:00Z");
  send("PUT", "/api/feedback", {feedback("read", "u1", "i1", 4)});
  EXPECT_EQ(get("/api/feedback/read/u1/i1")["Value"], 4) << "PUT replaces";
  EXPECT_EQ(get("/api/feedback/u1/i1").size(), 2u);
  EXPECT_EQ(get("/api/user/u1/feedback").size(), 2u);
  EXPECT_EQ(get("/api/user/u1/feedback/star").size(), 1u);
  EXPECT_EQ(get("/api/item/i2/feedback/").size(), 1u);
  EXPECT_EQ(get("/api/item/i2/feedback/star").size(), 0u);
  EXPECT_EQ(get("/api/feedback/star")["Feedback"].size(), 1u);
  EXPECT_EQ(get("/v1/users/u1")["events"].size(), 2u) << "each is an event";
  const Json first = get("/api/feedback?n=2");
  EXPECT_EQ(first["Feedback"].size(), 2u);
  const std::string cursor = first["Cursor"];
  std::string escaped;
  for (const char c : cursor) escaped += fmt::format("%{:02x}", int(static_cast<unsigned char>(c)));
  const Json last = get("/api/feedback?n=2&cursor=" + escaped);
  EXPECT_EQ(last["Cursor"], "");
  EXPECT_EQ(ids_of(last["Feedback"], "UserId"), (std::vector<std::string>{"u2"}));
  EXPECT_EQ(send("DELETE", "/api/feedback/star/u1/i1", nullptr), kOne);
  EXPECT_EQ(get("/api/feedback/star/u1/i1"), Json::object());
  EXPECT_EQ(send("DELETE", "/api/feedback/u1/i1", nullptr), kOne);
  EXPECT_EQ(send("DELETE", "/api/feedback/u1/nothing", nullptr)["RowAffected"], 0);
  const Json trained = get("/v1/users/u1")["trained"];
  EXPECT_EQ(problem("DELETE", "/api/feedback/u1/" + trained[0]["item"].get<std::string>()), "501 ");
}

TEST_F(GorseTest, Recommends) {
  const Json ids = get("/api/recommend/u3?n=6");
  ASSERT_EQ(ids.size(), 6u);
  EXPECT_EQ(get("/api/recommend/u3/?n=3&offset=3"), Json(std::vector(ids.begin() + 3, ids.end())));
  EXPECT_EQ(get("/api/recommend/u3").size(), 10u);
  EXPECT_EQ(get("/api/recommend/u3?offset=1000"), Json::array());
  const auto [status, scores] = call("GET", "/api/recommend/u3?n=6", "", {{"X-API-Version", "2"}});
  EXPECT_EQ(ids_of(scores, "Id"), ids.get<std::vector<std::string>>());
  for (size_t i = 1; i < scores.size(); ++i) EXPECT_LE(scores[i]["Score"], scores[i - 1]["Score"]);
  for (const char* target : {"/api/recommend/u3/Kind%201?n=4",
                             "/api/recommend/u3?n=4&category=Shop&category=Kind%201"}) {
    const Json some = get(target);
    EXPECT_FALSE(some.empty());
    for (const std::string id : some) EXPECT_EQ(get("/api/item/" + id)["Categories"][1], "Kind 1");
  }
  send("POST", "/api/item", {{"ItemId", "rare"}, {"Categories", {"Rare"}}});
  EXPECT_EQ(get("/api/recommend/u3/Rare"), Json({"rare"})) << "a category is filled up";
  send("POST", "/api/feedback", {feedback("read", "u3", "rare")});
  EXPECT_EQ(get("/api/recommend/u3/Rare"), Json::array()) << "it has been taken";
  EXPECT_EQ(get("/api/recommend/somebody-new").size(), 10u);
  EXPECT_EQ(problem("GET", "/api/recommend/u3?n=x"), "400 n");
}

TEST_F(GorseTest, RulesHoldForItsClients) {
  const Json before = get("/api/recommend/u3?n=5");
  send("PUT", "/v1/rules", {{"toml", R"(
[[filter]]
name = "in stock"
reason = "sold out"
drop = { field = "available", equals = false }
)"}});
  EXPECT_EQ(get("/api/recommend/u3?n=5"), before);
  send("PATCH", "/v1/items/" + before[1].get<std::string>(), {{"fields", {{"available", false}}}});
  const Json after = get("/api/recommend/u3?n=5");
  EXPECT_EQ(after.size(), 5u);
  EXPECT_EQ(std::count(after.begin(), after.end(), before[1]), 0);
  send("POST", "/api/item", {{"ItemId", "rare"}, {"Categories", {"Rare"}}});
  EXPECT_EQ(get("/api/recommend/u3/Rare"), Json({"rare"}));
  send("PATCH", "/v1/items/rare", {{"fields", {{"available", false}}}});
  EXPECT_EQ(get("/api/recommend/u3/Rare"), Json::array()) << "filled up by rules, too";
  EXPECT_EQ(get("/api/item/rare")["Categories"], Json({"Rare"})) << "a patch leaves the rest";
}

TEST_F(GorseTest, WritesBackWhatItReturned) {
  const Json ids = get("/api/recommend/u3?n=4&write-back-type=read&write-back-delay=1h30m");
  const Json rows = get("/api/user/u3/feedback/read");
  ASSERT_EQ(rows.size(), 4u);
  const auto time = seconds_of(rows[0]["Timestamp"].get<std::string>());
  EXPECT_NEAR(double(*time - std::time(nullptr)), 5400, 60);
  for (const std::string id : get("/api/recommend/u3?n=20")) {
    EXPECT_EQ(std::count(ids.begin(), ids.end(), id), 0) << "it was returned";
  }
  EXPECT_EQ(problem("GET", "/api/recommend/u3?write-back-type=r&write-back-delay=soon"),
            "400 write-back-delay");
}

TEST_F(GorseTest, WritingBackNeedsAKeyThatMayWrite) {
  Api guarded(bundle_, rules_, *store_,
              {.keys = {{.name = "reader", .sha256 = sha256("r"), .scopes = {Scope::kRead}}}});
  const Headers key = {{"X-API-Key", "r"}};
  EXPECT_EQ(reply(guarded, "GET", "/api/recommend/u3").status, 401);
  EXPECT_EQ(reply(guarded, "GET", "/api/recommend/u3", "", key).status, 200);
  EXPECT_EQ(reply(guarded, "GET", "/api/recommend/u3?write-back-type=x", "", key).status, 403);
  EXPECT_EQ(reply(guarded, "POST", "/api/user", R"({"UserId": "x"})", key).status, 403);
  EXPECT_EQ(reply(guarded, "GET", "/api/health/live").status, 200);
  EXPECT_EQ(store_->applied(), 0);
}

TEST_F(GorseTest, RecommendsForASession) {
  const Json session = {feedback("", "", "i5", 0, ""), feedback("read", "x", "i7")};
  const Json scores = send("POST", "/api/session/recommend?n=5", session);
  ASSERT_EQ(scores.size(), 5u);
  for (const auto& id : ids_of(scores, "Id")) EXPECT_TRUE(id != "i5" && id != "i7");
  EXPECT_EQ(send("POST", "/api/session/recommend/", Json::array()).size(), 10u);
  EXPECT_EQ(store_->applied(), 0) << "a session is not kept";
}

TEST_F(GorseTest, ListsItemsForEverybody) {
  EXPECT_EQ(get("/api/latest"), Json::array()) << "the bundle knows no times of items";
  send("POST", "/api/items",
       {{{"ItemId", "old"}, {"Timestamp", "2020-01-01"}, {"Categories", {"c"}}},
        {{"ItemId", "new"}, {"Timestamp", "2024-01-01"}}});
  EXPECT_EQ(ids_of(get("/api/latest"), "Id"), (std::vector<std::string>{"new", "old"}));
  EXPECT_EQ(ids_of(get("/api/latest/c"), "Id"), (std::vector<std::string>{"old"}));
  EXPECT_EQ(get("/api/latest?n=1&offset=1")[0]["Score"], 1577836800);
  EXPECT_EQ(get("/api/non-personalized/latest").size(), 2u);
  const Json popular = get("/api/popular/?n=40");
  EXPECT_EQ(popular.size(), 40u);
  EXPECT_GE(popular[0]["Score"], popular[1]["Score"]);
  EXPECT_EQ(get("/api/non-personalized/popular?n=40"), popular);
  std::set<std::string> taken;
  const Json user = get("/v1/users/u1");
  for (const Json& event : user["trained"]) taken.insert(event["item"]);
  const Json rest = get("/api/popular?n=40&user-id=u1");
  EXPECT_EQ(rest.size(), 40 - taken.size());
}

TEST_F(GorseTest, TellsNeighbours) {
  const Json like = get("/api/item/i7/neighbors?n=5");
  EXPECT_EQ(like.size(), 5u);
  EXPECT_EQ(get("/api/item/i7/neighbors/?n=5"), like);
  EXPECT_EQ(get("/api/item-to-item/neighbors/i7?n=5"), like);
  EXPECT_EQ(get("/api/item-to-item/neighbors/i7?n=3&offset=2")[0], like[2]);
  EXPECT_EQ(get("/api/item/i7/neighbors/none"), Json::array());
  EXPECT_EQ(get("/api/item/unknown/neighbors"), Json::array());
  EXPECT_EQ(problem("GET", "/api/item-to-item/other/i7"), "404 ");
  EXPECT_EQ(problem("GET", "/api/user/u1/neighbors"), "501 ");
  EXPECT_EQ(problem("GET", "/api/user-to-user/neighbors/u1"), "501 ");
  EXPECT_EQ(problem("GET", "/api/collaborative-filtering/u1"), "501 ");
}

TEST_F(GorseTest, TellsWhatIsWrong) {
  EXPECT_EQ(problem("POST", "/api/feedback", R"([{"UserId": "u", "ItemId": "i"}])"),
            "400 [0].FeedbackType");
  EXPECT_EQ(problem("POST", "/api/feedback", Json({feedback("a", "u", "i", 0, "soon")}).dump()),
            "400 [0].Timestamp");
  EXPECT_EQ(problem("POST", "/api/feedback", "3"), "400 ");
  EXPECT_EQ(problem("POST", "/api/item", R"({"ItemId": "i", "Categories": "c"})"),
            "400 [0].Categories");
  EXPECT_EQ(problem("POST", "/api/item", R"({"ItemId": "i", "IsHidden": true})"), "501 IsHidden");
  EXPECT_EQ(problem("POST", "/api/user", "{}"), "400 [0].UserId");
  EXPECT_EQ(problem("GET", "/api/feedback?cursor=x"), "400 cursor");
  EXPECT_EQ(problem("GET", "/api/nothing"), "404 ");
  EXPECT_EQ(store_->applied(), 0);
}

TEST_F(GorseTest, DescribesWhatItServes) {
  const Json described = get("/apidocs.json");
  size_t calls = 0;
  for (const Json& path : described["paths"]) calls += path.size();
  const auto of_gorse = std::ranges::count_if(api_.router().routes(), [](const Route& route) {
    return route.path.starts_with("/api/") && !route.path.starts_with("/api/health/");
  });
  EXPECT_EQ(calls, size_t(of_gorse));
  EXPECT_EQ(get("/api/health/ready")["Ready"], true);
  api_.stop_being_ready();
  EXPECT_EQ(call("GET", "/api/health/ready").first, 503);
}

// What a Gorse sends whose ranker is podium, with docs/serving.md's templates.
TEST_F(GorseTest, RanksForAGorse) {
  const Json asked = {{"model", "podium"},
                      {"query", "user:u3"},
                      {"documents", {"item:i7", "item:i20", "item:strange"}}};
  const auto [status, json] =
      call("POST", "/v1/rerank", asked.dump(),
           {{"Authorization", "Bearer "}, {"Content-Type", "application/json"}});
  EXPECT_EQ(status, 200);
  EXPECT_EQ(json["model"], "podium");
  EXPECT_TRUE(json["usage"]["total_tokens"].is_number_integer());
  std::set<int> places;
  for (const Json& result : json["results"]) {
    places.insert(result["index"].get<int>());
    EXPECT_TRUE(result["relevance_score"].is_number());
  }
  EXPECT_EQ(places, (std::set{0, 1, 2}));
  // An item that podium does not know stays in its place.
  const Json own =
      send("POST", "/v1/rerank", {{"user", "u3"}, {"candidates", {"i7", "i20", "strange"}}});
  for (size_t r = 0; r < 3; ++r) {
    const int place = json["results"][r]["index"];
    EXPECT_EQ(own["items"][r]["id"].get<std::string>(),
              asked["documents"][size_t(place)].get<std::string>().substr(5));
  }
}

TEST(Timestamps, AreReadAndWritten) {
  EXPECT_EQ(seconds_of("1970-01-02"), 86400);
  EXPECT_EQ(seconds_of("2024-02-29T12:30:15Z"), 1709209815);
  EXPECT_EQ(seconds_of("2024-02-29 13:30:15.123456+01:00"), 1709209815);
  EXPECT_EQ(seconds_of("2024-02-29T04:30-0800"), 1709209800);
  for (const char* wrong : {"", "2023-02-29", "2024-13-01", "2024-1-1", "2024-02-29T25:00",
                            "2024-02-29T12:30:15.Z", "2024-02-29T12", "2024-02-29Tx", "now"}) {
    EXPECT_FALSE(seconds_of(wrong)) << wrong;
  }
  for (const int64_t time : {int64_t{0}, int64_t{1709209815}, int64_t{-62'135'596'800}}) {
    EXPECT_EQ(seconds_of(timestamp_of(time)), time);
  }
  EXPECT_EQ(timestamp_of(INT64_MAX), "9999-12-31T23:59:59Z");
  EXPECT_EQ(duration_of("1h30m"), 5400);
  EXPECT_EQ(duration_of("1.5s"), 1);
  EXPECT_EQ(duration_of("0"), 0);
  for (const char* wrong : {"", "5", "-1h", "1x", "h", "nan", "1e9h"}) {
    EXPECT_FALSE(duration_of(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace podium::serve
