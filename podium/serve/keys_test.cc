#include "podium/serve/keys.h"

#include "podium/serve/test_api.h"

namespace podium::serve {
namespace {

using namespace std::chrono_literals;

class KeysTest : public ApiTest {
 protected:
  const std::string reading_ = new_key(), writing_ = new_key(), all_ = new_key();
  const std::vector<Key> keys_ = {{"shop", sha256(reading_), {Scope::kRead}},
                                  {"tracker", sha256(writing_), {Scope::kWrite}},
                                  {"operator", sha256(all_), {Scope::kAdmin}}};
};

TEST_F(KeysTest, LetInWhoMay) {
  Api api(bundle_, rules_, *store_, {.keys = keys_});
  const auto status = [&](const char* method, const char* target, const std::string& body,
                          const Headers& headers) {
    return reply(api, method, target, body, headers).status;
  };
  const std::string event = R"({"events": [{"user": "u1", "item": "i1", "time": 1}]})";
  const Headers none, wrong = {{"Authorization", "Bearer podium_x"}};
  const Headers reading = {{"authorization", "Bearer " + reading_}};
  const Headers writing = {{"X-API-Key", writing_}};
  const Headers all = {{"Authorization", "Bearer " + all_}};
  EXPECT_EQ(status("GET", "/healthz", "", none), 200);
  EXPECT_EQ(status("POST", "/v1/recommend", "{}", none), 401);
  EXPECT_EQ(status("POST", "/v1/recommend", "{}", wrong), 401);
  EXPECT_EQ(status("POST", "/v1/recommend", "{}", reading), 200);
  EXPECT_EQ(status("POST", "/v1/recommend", "{}", writing), 403) << "a tracker reads nothing";
  EXPECT_EQ(status("POST", "/v1/events", event, reading), 403);
  EXPECT_EQ(status("POST", "/v1/events", event, writing), 200);
  EXPECT_EQ(status("GET", "/v1/bundles", "", writing), 403);
  EXPECT_EQ(status("GET", "/v1/bundles", "", all), 200);
  EXPECT_EQ(status("POST", "/v1/recommend", "{}", all), 200);
  EXPECT_EQ(status("GET", "/metrics", "", none), 401);
}

TEST(Gate, HoldsEachKeyToItsRate) {
  Gate gate({{"shop", sha256("a"), {Scope::kRead}, 10}, {"other", sha256("b"), {Scope::kRead}, 0}});
  const auto passed = [&](const char* key, serving::Clock::time_point now) {
    return !gate.refusal({"GET", "/", {{"X-API-Key", key}}, ""}, Scope::kRead, now);
  };
  const auto start = serving::Clock::now();
  int let_in = 0;
  for (int i = 0; i < 30; ++i) let_in += passed("a", start);
  EXPECT_EQ(let_in, 10);
  EXPECT_FALSE(passed("a", start + 50ms));
  EXPECT_TRUE(passed("a", start + 150ms));
  EXPECT_FALSE(passed("a", start + 150ms));
  EXPECT_TRUE(passed("b", start));
}

TEST(Keys, AreReplacedWhileTheServerRuns) {
  Gate gate({{"old", sha256("a"), {Scope::kRead}}});
  const auto status = [&](const std::string& key) {
    const auto refused =
        gate.refusal({"GET", "/", {{"Authorization", "Bearer " + key}}, ""}, Scope::kRead, {});
    return refused ? refused->status : 200;
  };
  EXPECT_EQ(status("a"), 200);
  EXPECT_EQ(status("b"), 401);
  gate.replace({{"new", sha256("b"), {Scope::kRead}}});
  EXPECT_EQ(status("a"), 401);
  EXPECT_EQ(status("b"), 200);
}

TEST(Keys, AreKeptAsHashes) {
  const fs::path file = scratch_dir("keys") / "keys.json";
  const std::string key = new_key();
  EXPECT_NE(key, new_key());
  write_keys(file, {{"shop", sha256(key), {Scope::kRead, Scope::kWrite}, 2.5}});
  EXPECT_EQ(read_file(file).find(key), std::string::npos);
  const auto read = read_keys(file);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].name, "shop");
  EXPECT_EQ(read[0].scopes, (std::vector{Scope::kRead, Scope::kWrite}));
  EXPECT_EQ(read[0].per_second, 2.5);
  for (const char* bad : {"[]", "{}", R"({"keys": [{"name": "a"}]})",
                          R"({"keys": [{"name": "a", "sha256": "12", "scopes": []}]})",
                          R"({"keys": [{"name": "a", "sha256": "12", "scopes": ["root"]}]})"}) {
    write_file_atomic(file, bad);
    EXPECT_THROW((void)read_keys(file), Error) << bad;
  }
}

}  // namespace
}  // namespace podium::serve
