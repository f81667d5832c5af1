// The API over a whole tiny bundle (serving/test_bundle.h), called without a socket.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "podium/base/scratch.h"
#include "podium/serve/api.h"
#include "podium/serving/test_bundle.h"

namespace podium::serve {

class ApiTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = scratch(testing::UnitTest::GetInstance()->current_test_suite()->name());
    bundle_dir_ = serving::write_test_bundle(root_);
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  static HttpReply reply(Api& api, const std::string& method, const std::string& target,
                         const std::string& body = "", const Headers& headers = {}) {
    std::promise<HttpReply> promise;
    api.handle({method, target, headers, body},
               [&](HttpReply told) { promise.set_value(std::move(told)); });
    return promise.get_future().get();
  }
  std::pair<int, Json> call(const std::string& method, const std::string& target,
                            const std::string& body = "", const Headers& headers = {}) {
    const HttpReply told = reply(api_, method, target, body, headers);
    return {told.status, told.body.empty() ? Json() : parse_json(told.body, "reply")};
  }
  // "400 events[3].time": a problem's status and field.
  std::string problem(const std::string& method, const std::string& target,
                      const std::string& body = "") {
    const auto [status, json] = call(method, target, body);
    EXPECT_TRUE(json.contains("detail")) << json.dump();
    return fmt::format("{} {}", status, json.value("field", ""));
  }
  std::vector<std::string> recommended(const std::string& body) {
    std::vector<std::string> ids;
    const auto [status, json] = call("POST", "/v1/recommend", body);
    EXPECT_EQ(status, 200) << json.dump();
    for (const Json& item : json["items"]) ids.push_back(item["id"]);
    return ids;
  }

  static inline fs::path root_, bundle_dir_;
  const fs::path state_ = scratch_dir("api_state");
  std::atomic<int64_t> clock_{2'000'000'000};  // unix seconds, by which what has no time happens
  const std::shared_ptr<store::Store> store_ = std::make_shared<store::Store>(
      state_, store::StoreOptions{.clocks = {.unix_time = [this] { return clock_.load(); }}});
  ActiveBundle bundle_{bundle_dir_, state_ / "bundles.json", store_, {.threads = 1}};
  ActiveRules rules_{state_ / "rules.toml"};
  Api api_{bundle_, rules_, *store_, {.threads = 2, .version = "test"}};
};

}  // namespace podium::serve
