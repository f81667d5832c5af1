// Bundles compared, refused, activated and taken back while requests run.
#include <algorithm>
#include <atomic>
#include <thread>

#include "podium/serve/test_api.h"

namespace podium::serve {
namespace {

using namespace std::chrono_literals;

class BundleRoutesTest : public ApiTest {
 protected:
  static void SetUpTestSuite() {
    ApiTest::SetUpTestSuite();
    other_ = serving::with_other_policy(bundle_dir_, "other");
    broken_ = serving::with_broken_policy(bundle_dir_, "broken");
  }

  static std::string of(const fs::path& dir, bool force = false) {
    Json json = {{"dir", dir.string()}};
    if (force) json["force"] = true;
    return json.dump();
  }
  // Users take what the active bundle puts first, after its training.
  void take_what_is_first() {
    Json events = Json::array();
    for (int u = 0; u < 60; ++u) {
      const std::string user = fmt::format("u{}", u);
      const auto items = recommended(Json({{"user", user}, {"time", 2000000}}).dump());
      events.push_back({{"user", user}, {"item", items[0]}, {"time", 2000000}});
    }
    ASSERT_EQ(call("POST", "/v1/events", Json({{"events", events}}).dump()).first, 200);
  }
  std::string active() { return call("GET", "/v1/bundles").second["active"]; }

  static inline fs::path other_, broken_;
};

TEST_F(BundleRoutesTest, TellsWhatAnotherBundleWouldAnswer) {
  take_what_is_first();
  const auto [status, told] = call("POST", "/v1/bundles/evaluate", of(other_));
  ASSERT_EQ(status, 200) << told.dump();
  EXPECT_EQ(told["candidate"], other_.string());
  EXPECT_EQ(told["questions"], 60 + 60) << "what was asked, and what was taken";
  EXPECT_EQ(told["foreseen"]["events"], 60);
  EXPECT_EQ(told["foreseen"]["N@10"]["active"]["value"], 1);
  EXPECT_EQ(told["objections"].size(), 1u);
  EXPECT_EQ(active(), bundle_dir_.string()) << "it is only compared";
  const Json less = call("POST", "/v1/bundles/evaluate",
                         Json({{"dir", other_.string()}, {"requests", 70}, {"events", 40}}).dump())
                        .second;
  EXPECT_EQ(less["foreseen"]["events"], 40);
  EXPECT_EQ(problem("POST", "/v1/bundles/evaluate", R"({"dir": "/nowhere"})").substr(0, 3), "404");
  EXPECT_EQ(problem("POST", "/v1/bundles/evaluate", "{}"), "400 dir");
  EXPECT_EQ(problem("POST", "/v1/bundles/evaluate", R"({"dir": "x", "events": 0})"), "400 events");
  EXPECT_EQ(problem("POST", "/v1/bundles/activate", R"({"dir": "x", "force": 1})"), "400 force");
}

TEST_F(BundleRoutesTest, AWorseBundleIsRefusedAndNamesTheFigure) {
  take_what_is_first();
  const auto [status, told] = call("POST", "/v1/bundles/activate", of(other_));
  EXPECT_EQ(status, 409);
  EXPECT_NE(told["detail"].get<std::string>().find("N@10 on 60 events held out: -"),
            std::string::npos)
      << told.dump();
  EXPECT_EQ(told["objections"], Json::array({told["detail"]}));
  EXPECT_EQ(active(), bundle_dir_.string());
  EXPECT_EQ(call("POST", "/v1/bundles/activate", of(other_, true)).second["active"],
            other_.string());
}

TEST_F(BundleRoutesTest, ABundleWhoseAnswersFailIsTakenBackByItself) {
  const std::string explain = R"({"user": "u3", "explain": true})";
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(call("POST", "/v1/recommend", explain).first, 200);
  }
  const auto [status, told] = call("POST", "/v1/bundles/activate", of(broken_));
  EXPECT_EQ(status, 409);
  EXPECT_EQ(told["detail"].get<std::string>().substr(0, 17), "answers that fail") << told.dump();

  ASSERT_EQ(call("POST", "/v1/bundles/activate", of(broken_, true)).first, 200);
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0}, answered{0};
  std::thread asking([&] {  // what the bundle can answer
    while (!stop) {
      const int code = reply(api_, "POST", "/v1/recommend", R"({"user": "u4"})").status;
      ++(code == 200 ? answered : failed);
    }
  });
  // What it cannot, until it is gone.
  for (int i = 0; i < 5000 && active() == broken_.string(); ++i) {
    const int code = call("POST", "/v1/recommend", explain).first;
    EXPECT_TRUE(code == 500 || code == 200) << code;  // 200: it is taken back already
  }
  stop = true;
  asking.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(active(), bundle_dir_.string());
  const Json bundles = call("GET", "/v1/bundles").second;
  ASSERT_EQ(bundles["taken_back"].size(), 1u);
  EXPECT_EQ(bundles["taken_back"][0]["dir"], broken_.string());
  EXPECT_EQ(bundles["can_roll_back"], false);
  EXPECT_NE(reply(api_, "GET", "/metrics").body.find("podium_bundle_roll_backs_total 1"),
            std::string::npos);
  EXPECT_EQ(call("POST", "/v1/recommend", explain).first, 200);
  const ActiveBundle again(bundle_dir_, state_ / "bundles.json", store_, {});
  EXPECT_EQ(again.history().size(), 1u);
  ASSERT_EQ(again.taken_back().size(), 1u) << "a restart knows";
  EXPECT_EQ(again.taken_back()[0].dir, broken_);
}

TEST_F(BundleRoutesTest, ComparesOneBundleAtATimeAndEndsWithTheServer) {
  RecentRequests recent;
  BundleTrials trials(bundle_, *store_, recent);
  std::promise<void> begun, go;
  std::promise<HttpReply> told;
  ASSERT_TRUE(trials.begin(
      other_, {},
      [&](const auto&, const shadow::Report& report) {
        EXPECT_EQ(report.questions, 80u) << "nobody has asked: users of the bundle";
        begun.set_value();
        go.get_future().wait();
        return HttpReply{.body = "done"};
      },
      [&](HttpReply reply) { told.set_value(std::move(reply)); }));
  begun.get_future().wait();
  EXPECT_FALSE(trials.begin(other_, {}, {}, {}));
  go.set_value();
  EXPECT_EQ(told.get_future().get().body, "done");

  std::promise<HttpReply> ended;
  ASSERT_TRUE(trials.begin(
      other_, {}, [&](const auto&, const auto&) { return HttpReply{.body = "done"}; },
      [&](HttpReply reply) { ended.set_value(std::move(reply)); }));
  trials.stop();
  auto answer = ended.get_future();
  ASSERT_EQ(answer.wait_for(0s), std::future_status::ready) << "stop() waits for the answer";
  EXPECT_FALSE(trials.begin(other_, {}, {}, {}));
}

TEST_F(BundleRoutesTest, ABundleIsJudgedByItsNewestAnswersAndThoseBefore) {
  const auto first = bundle_.now();
  const auto second = bundle_.open(other_);
  const auto answer = [](BundleWatch& watch, const auto& by, int count, int bad_of_ten) {
    std::optional<std::string> why;
    for (int i = 0; i < count; ++i) {
      if (auto told = watch.answered(*by, i % 10 >= bad_of_ten)) why = told;
    }
    return why;
  };
  BundleWatch watch;
  watch.begin(*first, false);
  EXPECT_FALSE(answer(watch, first, 400, 10)) << "it was not activated, nothing is before it";
  watch.begin(*second, true);
  EXPECT_FALSE(answer(watch, second, 400, 10)) << "no worse than before";

  watch.begin(*first, false);
  answer(watch, first, 200, 1);
  watch.begin(*second, true);
  EXPECT_FALSE(answer(watch, second, 400, 2)) << "one in ten more";
  EXPECT_FALSE(answer(watch, first, 400, 10)) << "of the bundle before, which ends its requests";
  const auto why = answer(watch, second, 200, 3);
  ASSERT_TRUE(why);
  EXPECT_NE(why->find("10.0 % of those of the bundle before"), std::string::npos) << *why;
  EXPECT_FALSE(answer(watch, second, 400, 10)) << "told once";

  watch.begin(*first, false);
  watch.begin(*second, true);
  EXPECT_FALSE(answer(watch, second, int(BundleWatch::kWatched), 0));
  EXPECT_FALSE(answer(watch, second, 400, 10)) << "trusted by now";
}

TEST_F(BundleRoutesTest, AnotherBundleIsServedWithoutAFailedRequest) {
  const fs::path other = root_ / "twin";
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
