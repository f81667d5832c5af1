// From a server's log to the next bundle, and whether that is better.
#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/cli/commands.h"
#include "podium/cli/train_command.h"
#include "podium/serving/recommender.h"
#include "podium/serving/test_bundle.h"
#include "podium/store/store.h"

namespace podium::cli {
namespace {

class RetrainTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = scratch("retrain");
    bundle_ = serving::write_test_bundle(root_);
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  // Standard output; the message of an Error goes to `told`.
  static std::string run(const std::vector<std::string>& arguments, std::string* told = nullptr) {
    CLI::App app;
    add_eval_command(app);
    add_train_commands(app);
    testing::internal::CaptureStdout();
    try {
      app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const Error& error) {
      std::string output = testing::internal::GetCapturedStdout();
      if (told == nullptr) throw;
      *told = error.message();
      return output;
    } catch (...) {
      testing::internal::GetCapturedStdout();
      throw;
    }
    return testing::internal::GetCapturedStdout();
  }

  static inline fs::path root_, bundle_;
  const fs::path state_ = scratch_dir("retrain_state");
};

TEST_F(RetrainTest, ComparesTwoBundlesOnWhatUsersDidSince) {
  store::Store store(state_);  // of a server that goes on
  {
    const auto empty = std::make_shared<serving::MemoryState>();
    const serving::Recommender active(serving::Bundle::open(bundle_), empty);
    for (int u = 0; u < 30; ++u) {
      serving::Request request;
      request.user = fmt::format("u{}", u);
      request.time = 2000000;
      store.add_event(request.user, {active.answer(request).items[0].id, 2000000});
    }
  }
  const fs::path other = serving::with_other_policy(bundle_, "other");
  const std::vector<std::string> base = {"eval", "--against", bundle_, "--state", state_};
  auto worse = base, same = base;
  worse.insert(worse.end(), {"--bundle", other, "--json"});
  same.insert(same.end(), {"--bundle", bundle_});
  std::string told;
  const Json json = parse_json(run(worse, &told), "eval");
  EXPECT_EQ(json["foreseen"]["events"], 30);
  EXPECT_EQ(json["foreseen"]["N@10"]["active"]["value"], 1);
  EXPECT_EQ(json["objections"].size(), 1u);
  EXPECT_NE(told.find("N@10 on 30 events held out"), std::string::npos) << told;
  EXPECT_NE(run(same).find("30 events of 30 users held out"), std::string::npos);
  EXPECT_THROW(run({"eval", "--bundle", other}), Error) << "beside which?";
  EXPECT_THROW(run({"eval"}), CLI::ParseError);
  EXPECT_THROW(run({"eval", "--run", other, "--bundle", other}), CLI::ParseError);
}

TEST_F(RetrainTest, TrainsOnTheLogAndGoesOnWithWhatItBegan) {
  store::Store store(state_);
  for (int i = 0; i < 10; ++i) store.add_event("visitor", {fmt::format("i{}", i), 2000000 + i});
  const fs::path out = root_ / "run";
  const std::vector<std::string> train = {
      "train", "--from-store", state_, "--bundle", bundle_, "--out", out, "--until", "sid"};
  const auto trained_on = [&] {
    const data::Dataset dataset = data::Dataset::open(root_ / "run.data");
    return dataset.items_of(*dataset.find_user("visitor")).size();
  };
  run(train);
  EXPECT_EQ(trained_on(), 8u) << "a fifth is held out";
  EXPECT_TRUE(fs::exists(out / "stages" / "sid"));
  for (int i = 10; i < 20; ++i) store.add_event("visitor", {fmt::format("i{}", i), 2000000 + i});
  run(train);
  EXPECT_EQ(trained_on(), 8u) << "the run goes on with what it was begun with";
  auto anew = train;
  anew.insert(anew.end(), {"--retrain", "--hold-out", "1"});
  run(anew);
  EXPECT_EQ(trained_on(), 19u);
  EXPECT_THROW(run({"train", "--out", out}), CLI::ParseError) << "on what?";
  EXPECT_THROW(run({"train", "--out", out, "--from-store", state_}), CLI::ParseError);
  EXPECT_THROW(run({"train", "--out", out, "--from-store", state_, "--bundle", bundle_, "--data",
                    root_ / "shop"}),
               CLI::ParseError);
}

}  // namespace
}  // namespace podium::cli
