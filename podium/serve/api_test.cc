#include "podium/serve/api.h"

#include <algorithm>
#include <set>
#include <thread>

#include "podium/serve/console_assets.h"
#include "podium/serve/content_coding.h"
#include "podium/serve/openapi.h"
#include "podium/serve/test_api.h"

namespace podium::serve {
namespace {

using namespace std::chrono_literals;

TEST_F(ApiTest, AnEventChangesTheNextAnswer) {
  const auto before = recommended(R"({"user": "u3", "k": 10, "time": 2000000})");
  ASSERT_EQ(before.size(), 10u);
  const auto [status, told] =
      call("POST", "/v1/events",
           R"({"events": [{"user": "u3", "item": ")" + before[0] + R"(", "time": 1900000}]})");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(told["offset"], 1);
  const auto after = recommended(R"({"user": "u3", "k": 10, "time": 2000000})");
  EXPECT_EQ(std::count(after.begin(), after.end(), before[0]), 0) << "it has been taken";
  const Json user = call("GET", "/v1/users/u3").second;
  EXPECT_EQ(user["events"].size(), 1u);
  EXPECT_EQ(user["trained"].size(), 9u);
  EXPECT_TRUE(user["trained"][0].contains("title"));
}

TEST_F(ApiTest, WhatIsSentAgainIsWrittenOnce) {
  const std::string event = R"({"events": [{"user": "u4", "item": "i1", "time": 1900000}]})";
  const auto first = call("POST", "/v1/events", event, {{"idempotency-key", "k1"}}),
             again = call("POST", "/v1/events", event, {{"Idempotency-Key", "k1"}});
  EXPECT_EQ(first, again);
  EXPECT_EQ(call("GET", "/v1/users/u4").second["events"].size(), 1u);
  EXPECT_EQ(call("DELETE", "/v1/users/u4").first, 204);
  const Json erased = call("GET", "/v1/users/u4").second;
  EXPECT_EQ(erased["events"].size(), 0u);
  EXPECT_EQ(erased["trained"].size(), 0u);
}

TEST_F(ApiTest, ANewItemIsRecommendedAtOnce) {
  const std::string ask = R"({"history": ["i0", "i2"], "k": 40})";
  const auto before = recommended(ask);
  EXPECT_EQ(call("PUT", "/v1/items/fresh%20one",
                 R"({"title": "Thing 1 of kind 0", "categories": ["Shop", "Kind 0"], "price": 2})")
                .first,
            200);
  const auto after = recommended(ask);
  EXPECT_EQ(std::count(after.begin(), after.end(), "fresh one"), 1);
  EXPECT_EQ(call("PATCH", "/v1/items/fresh%20one", R"({"price": 3})").first, 200);
  const Json story = call("GET", "/v1/items/fresh%20one").second;
  EXPECT_EQ(story["price"], 3);
  EXPECT_EQ(story["title"], "Thing 1 of kind 0");
  EXPECT_EQ(story["origin"], "live");
  EXPECT_FALSE(story["similar"].empty());
  EXPECT_EQ(call("DELETE", "/v1/items/fresh%20one").first, 204);
  EXPECT_EQ(call("DELETE", "/v1/items/fresh%20one").first, 404);
  EXPECT_EQ(recommended(ask), before);
  EXPECT_EQ(call("POST", "/v1/items", R"({"items": [{"id": "a"}, {"id": "b"}]})").second["items"],
            2);
  EXPECT_EQ(problem("POST", "/v1/items", R"({"items": [{"id": "a", "price": "x"}]})"),
            "400 items[0].price");
}

TEST_F(ApiTest, ReranksWhatItIsGiven) {
  const auto [status, json] =
      call("POST", "/v1/rerank",
           R"({"id": "q", "user": "u5", "time": 2000000, "candidates": ["i7", "i20", "strange"]})");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(json["id"], "q");
  EXPECT_EQ(json["items"].size(), 3u);
  EXPECT_EQ(json["unknown_candidates"], 1);
  double left = 1;
  for (const Json& item : json["items"]) {
    if (item["id"] == "strange") continue;
    EXPECT_LE(item["score"].get<double>(), left) << "the likelier one first";
    left -= item["score"].get<double>();
  }
  EXPECT_NEAR(left, 0, 1e-5);
}

TEST_F(ApiTest, ACandidateThatIsDescribedTakesPart) {
  const auto [status, json] = call(
      "POST", "/v1/rerank",
      R"({"user": "u5", "time": 2000000, "candidates": ["i7", "i20", {"item": "new", "title": "Thing 7 of kind 0"}]})");
  EXPECT_EQ(status, 200);
  EXPECT_FALSE(json.contains("unknown_candidates"));
  for (const Json& item : json["items"]) EXPECT_TRUE(item.contains("score"));
  EXPECT_EQ(call("GET", "/v1/items/new").first, 404) << "it was of that request";
}

TEST_F(ApiTest, AnswersManyAtOnceInTheirOrder) {
  const auto [status, json] = call(
      "POST", "/v1/recommend",
      R"({"requests": [{"id": "a", "user": "u1"}, {"id": "b", "k": 0}, {"id": "c", "history": ["i3"]}]})");
  EXPECT_EQ(status, 200);
  ASSERT_EQ(json["answers"].size(), 3u);
  EXPECT_EQ(json["answers"][0]["id"], "a");
  EXPECT_EQ(json["answers"][1]["field"], "k");
  EXPECT_EQ(json["answers"][2]["id"], "c");
}

TEST_F(ApiTest, SomebodyUnknownIsSomebodyNew) {
  const Json json = call("POST", "/v1/recommend", R"({"user": "nobody"})").second;
  EXPECT_EQ(json["new_user"], true);
  EXPECT_EQ(json["items"].size(), 10u);
  EXPECT_EQ(call("GET", "/v1/users/nobody").second["known"], false);
}

TEST_F(ApiTest, AnAnswerThatMissesAnOffsetSaysSo) {
  EXPECT_FALSE(call("POST", "/v1/recommend?min_offset=0", "{}").second.contains("degraded"));
  EXPECT_EQ(call("POST", "/v1/recommend?min_offset=9", "{}").second["degraded"][0], "stale");
  EXPECT_EQ(problem("POST", "/v1/recommend?min_offset=x", "{}"), "400 min_offset");
}

TEST_F(ApiTest, KeepsWhatWasShown) {
  EXPECT_EQ(
      call(
          "POST", "/v1/impressions",
          R"({"impressions": [{"user": "u1", "items": ["i1", 2], "propensities": [0.5, 1], "time": 5}]})")
          .second["offset"],
      1);
  EXPECT_EQ(problem("POST", "/v1/impressions",
                    R"({"impressions": [{"user": "u1", "items": ["i1"], "propensities": [2]}]})"),
            "400 impressions[0].propensities");
}

TEST_F(ApiTest, TellsOfTheCatalogue) {
  const Json found = call("GET", "/v1/items?query=thing+7%20of&limit=5").second;
  ASSERT_EQ(found["items"].size(), 1u);
  EXPECT_EQ(found["items"][0]["id"], "i7");
  const Json story = call("GET", "/v1/items/i7").second;
  EXPECT_EQ(story["origin"], "trained");
  EXPECT_GT(story["events"], 0);
  EXPECT_FALSE(story["semantic_id"].empty());
  const Json map = call("GET", "/v1/map?limit=10").second;
  EXPECT_EQ(map["items"].size(), 10u);
  EXPECT_EQ(map["of"], 40);
  const Json similar = call("POST", "/v1/similar", R"({"item": "i7", "k": 5})").second;
  EXPECT_EQ(similar["items"].size(), 5u);
  EXPECT_EQ(problem("POST", "/v1/similar", R"({"item": "none"})").substr(0, 3), "404");
}

TEST_F(ApiTest, TellsWhatIsWrong) {
  EXPECT_EQ(problem("POST", "/v1/recommend", R"({"user": "u3", "kk": 5})"), "400 kk");
  EXPECT_EQ(problem("POST", "/v1/recommend", "{"), "400 body");
  EXPECT_EQ(problem("POST", "/v1/events", R"({"events": []})"), "400 events");
  EXPECT_EQ(problem("POST", "/v1/events", R"({"events": [{"user": "u", "item": ""}]})"),
            "400 events[0].item");
  EXPECT_EQ(problem("POST", "/v1/events", R"({"events": [{"user": "u", "item": "i", "at": 1}]})"),
            "400 events[0].at");
  EXPECT_EQ(
      problem("POST", "/v1/events", R"({"events": [{"user": "u", "item": "i", "time": -1}]})"),
      "400 events[0].time");
  EXPECT_EQ(problem("PUT", "/v1/items/x", R"({"title": 5})"), "400 title");
  EXPECT_EQ(problem("PUT", "/v1/items/%zz", "{}").substr(0, 3), "400");
  EXPECT_EQ(problem("PUT", "/v1/items/%00", "{}").substr(0, 3), "400");
  EXPECT_EQ(problem("GET", "/v1/events").substr(0, 3), "405");
  EXPECT_EQ(problem("GET", "/v1/nothing").substr(0, 3), "404");
  EXPECT_EQ(problem("GET", "/v1/items/").substr(0, 3), "404");
  EXPECT_EQ(store_->applied(), 0) << "nothing of it was written";
}

TEST_F(ApiTest, TellsHowItGoes) {
  (void)recommended("{}");
  const Json status = call("GET", "/v1/status").second;
  EXPECT_EQ(status["podium"], "test");
  EXPECT_EQ(status["bundle"]["items"], 40);
  EXPECT_EQ(status["series"]["requests"].size(), 120u);
  EXPECT_EQ(status["stages"].size(), 3u);
  const std::string text = reply(api_, "GET", "/metrics").body;
  EXPECT_NE(text.find("podium_requests_total{route=\"POST /v1/recommend\",status=\"200\"} 1"),
            std::string::npos)
      << text;
  EXPECT_EQ(call("GET", "/readyz").first, 200);
  api_.stop_being_ready();
  EXPECT_EQ(call("GET", "/readyz").first, 503);
  EXPECT_EQ(call("HEAD", "/healthz").first, 200);
}

TEST_F(ApiTest, WithoutKeysAPageOfAnotherSiteIsRefused) {
  const auto status = [&](const Headers& headers) {
    return reply(api_, "POST", "/v1/recommend", "{}", headers).status;
  };
  EXPECT_EQ(status({{"Host", "127.0.0.1:8080"}}), 200);
  EXPECT_EQ(status({{"Host", "[::1]:8080"}}), 200);
  EXPECT_EQ(status({{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}}), 200);
  EXPECT_EQ(status({{"Host", "localhost:8080"}, {"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(status({{"Host", "localhost:8080"}, {"Origin", "http://localhost:9"}}), 403);
  EXPECT_EQ(status({{"Host", "localhost:8080"}, {"Origin", "null"}}), 403);
  EXPECT_EQ(status({{"Host", "rebound.example"}}), 403);
}

TEST_F(ApiTest, NamesEveryRequest) {
  const auto id = [&](const std::string& told) {
    for (const auto& [name, value] :
         reply(api_, "GET", "/healthz", "", {{"X-Request-ID", told}}).headers) {
      if (name == "X-Request-ID") return value;
    }
    return std::string();
  };
  EXPECT_EQ(id("order-7"), "order-7");
  EXPECT_NE(id("a\r\nSet-Cookie: x"), "a\r\nSet-Cookie: x");
  EXPECT_FALSE(id("").empty());
}

TEST_F(ApiTest, TheDescriptionNamesEveryCall) {
  const Json description = parse_json(kOpenApi, "openapi.json");
  std::set<std::string> described, served;
  for (const auto& [path, methods] : description["paths"].items()) {
    for (const auto& [method, told] : methods.items()) {
      std::string upper = method;
      std::ranges::transform(upper, upper.begin(), [](char c) { return char(c - 'a' + 'A'); });
      described.insert(fmt::format("{} {} {}", upper, path, told.value("x-scope", "open")));
    }
  }
  constexpr const char* kNames[] = {"open", "read", "write", "admin"};
  for (const Route& route : api_.router().routes()) {
    const bool of_gorse = route.path.starts_with("/api/") || route.path == "/apidocs.json";
    if (of_gorse) continue;  // /apidocs.json has them
    if (route.path == "/" || route.path.starts_with("/console")) continue;  // for people
    served.insert(fmt::format("{} {}", route.name(), kNames[int(route.scope)]));
  }
  EXPECT_EQ(described, served);
}

TEST_F(ApiTest, ServesTheConsoleUnderAStrictPolicy) {
  const HttpReply home = reply(api_, "GET", "/");
  EXPECT_EQ(home.status, 308);
  const HttpReply page = reply(api_, "GET", "/console/");
  EXPECT_EQ(reply(api_, "GET", "/console/none.js").status, 404);
  if (console_assets().empty()) {
    EXPECT_EQ(page.status, 404);
    return;
  }
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.type, "text/html; charset=utf-8");
  const auto policy = std::ranges::find(page.headers, "Content-Security-Policy",
                                        &std::pair<std::string, std::string>::first);
  ASSERT_NE(policy, page.headers.end());
  EXPECT_EQ(policy->second.find("unsafe"), std::string::npos);
}

TEST_F(ApiTest, UnpacksWhatIsSentCompressed) {
  const auto status = [&](const std::string& body, const std::string& coding) {
    return call("POST", "/v1/recommend", body, {{"Content-Encoding", coding}}).first;
  };
  const std::string asked = gzip(R"({"user": "u1", "k": 3})");
  const auto [told, json] = call("POST", "/v1/recommend", asked, {{"Content-Encoding", "gzip"}});
  EXPECT_EQ(told, 200);
  EXPECT_EQ(json["items"].size(), 3u);
  EXPECT_EQ(status(asked, "br"), 415);
  EXPECT_EQ(status(asked.substr(0, asked.size() - 1), "gzip"), 400);
  EXPECT_EQ(status(gzip(std::string(kMostBodyBytes + 1, ' ')), "gzip"), 413);
}

// What became of a stage's budget is in `degraded`, and counted.
TEST_F(ApiTest, EachStagesBudgetHasItsFallback) {
  using Options = serving::RecommenderOptions;
  constexpr serving::Clock::duration kNone{0};
  const std::string asked = R"({"user": "u3", "k": 8, "time": 2000000})";
  const auto answer = [&](const Options& options, const ApiOptions& of_api, const char* target,
                          const std::string& body) {
    ActiveBundle bundle(bundle_dir_, state_ / "budgets.json", store_, options);
    Api api(bundle, rules_, *store_, of_api);
    Json json = parse_json(reply(api, "POST", target, body).body, "reply");
    const std::string counted = reply(api, "GET", "/metrics").body;
    for (const Json& what : json.value("degraded", Json::array())) {
      EXPECT_NE(counted.find("podium_degraded_total{what=" + what.dump() + "} 1"),
                std::string::npos);
    }
    return json;
  };
  const auto recommend = [&](const Options& options, const ApiOptions& of_api = {}) {
    return answer(options, of_api, "/v1/recommend", asked);
  };
  EXPECT_FALSE(recommend({}).contains("degraded"));
  const Json no_policy = recommend({.policy_until = kNone});
  EXPECT_EQ(no_policy["degraded"], Json({"policy late"}));
  for (size_t r = 0; r < 8; ++r) EXPECT_EQ(no_policy["items"][r]["upstream_rank"], r);
  const Json no_ranking = recommend({.ranking_until = kNone});
  EXPECT_EQ(no_ranking["degraded"], Json({"ranking late"}));
  EXPECT_EQ(no_ranking["items"].size(), 8u);
  const Json late = recommend({}, {.deadline = kNone});
  EXPECT_EQ(late["degraded"], Json({"retrieval late", "policy late"}));
  for (const Json& item : late["items"]) EXPECT_EQ(item["sources"], Json({"popularity"}));
  const Json kept = answer({}, {.deadline = kNone}, "/v1/rerank",
                           R"({"user": "u3", "candidates": ["i9", "i2", "i5", "i7"]})");
  EXPECT_EQ(kept["degraded"], Json({"policy late"}));
  EXPECT_EQ(kept["items"][0]["id"], "i9") << "the caller's order";
  EXPECT_EQ(kept["items"][3]["id"], "i7");
}

TEST_F(ApiTest, SendsBackWhoeverComesWhenItIsFull) {
  Api busy(bundle_, rules_, *store_, {.threads = 1, .most_waiting = 2});
  std::atomic<int> answered{0}, refused{0};
  for (int i = 0; i < 200; ++i) {
    busy.handle({"POST", "/v1/recommend", {}, R"({"user": "u3", "time": 2000000})"},
                [&](const HttpReply& told) { ++(told.status == 200 ? answered : refused); });
  }
  while (answered + refused < 200) std::this_thread::sleep_for(1ms);
  EXPECT_GE(answered, 2);
  EXPECT_GT(refused, 0);
}

TEST_F(ApiTest, AnotherBundleIsServedWithoutAFailedRequest) {
  const fs::path other = root_ / "other";
  if (!fs::exists(other)) fs::copy(bundle_dir_, other, fs::copy_options::recursive);
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0}, answered{0};
  std::thread asking([&] {
    while (!stop) {
      const int status = reply(api_, "POST", "/v1/recommend", R"({"user": "u3"})").status;
      ++(status == 200 ? answered : failed);
    }
  });
  const std::string activate = Json({{"dir", other.string()}}).dump();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(call("POST", "/v1/bundles/activate", activate).second["active"], other.string());
    EXPECT_EQ(call("POST", "/v1/bundles/roll-back").second["active"], bundle_dir_.string());
  }
  EXPECT_EQ(problem("POST", "/v1/bundles/roll-back").substr(0, 3), "409");
  EXPECT_EQ(problem("POST", "/v1/bundles/activate", R"({"dir": "/nowhere"})").substr(0, 3), "404");
  EXPECT_EQ(call("POST", "/v1/bundles/activate", activate).first, 200);
  stop = true;
  asking.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(answered, 0);
  // Started again, it serves what was activated; with another bundle named, that.
  const ActiveBundle again(bundle_dir_, state_ / "bundles.json", store_, {});
  EXPECT_EQ(again.history().back().dir, other);
  const ActiveBundle named(other, state_ / "bundles.json", store_, {});
  EXPECT_EQ(named.history().size(), 1u);
}

}  // namespace
}  // namespace podium::serve
