// What is served is what was evaluated: the test targets of a run, asked again as requests, get the
// ranked lists of its results files, through every door.
#include <gtest/gtest.h>

#include <iostream>
#include <sstream>

#include "podium/base/scratch.h"
#include "podium/capi/podium.h"
#include "podium/cli/commands.h"
#include "podium/eval/results.h"
#include "podium/pipeline/policy_eval.h"
#include "podium/serving/recommender.h"
#include "podium/serving/test_bundle.h"

namespace podium::cli {
namespace {

using Ids = std::vector<std::string>;

constexpr int kUsers = 1700;
constexpr size_t kCompared = 1000;

// One test target, and the lists that evaluation wrote for it.
struct Asked {
  Ids history;
  std::vector<int64_t> times;
  int64_t time = 0;
  Ids upstream;  // before the policy
  Ids policy;    // after it; empty where evaluation asked no policy: the slate has no positive
};

class ServedTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = scratch("served");
    bundle_dir_ = serving::write_test_bundle(root_, kUsers);
    bundle_ = serving::Bundle::open(bundle_dir_);
  }
  static void TearDownTestSuite() {
    bundle_.reset();
    fs::remove_all(root_);
  }

  static Ids ids(std::span<const data::ItemIndex> items) {
    Ids out;
    for (const auto item : items) out.emplace_back(bundle_->dataset().item_id(item));
    return out;
  }

  // The evaluation's own code, on what the upstream's stage wrote.
  static std::vector<Asked> evaluated(bool with_trace) {
    const eval::SavedResults saved = eval::read_results(root_ / "upstream" / "test.json");
    const auto slates = rerank::read_slates(root_ / "upstream" / "slates" / "test");
    const eval::StageResult& upstream = saved.stages.back();
    EXPECT_EQ(upstream.stage, "upstream");
    const auto engine = runtime::Engine::open(root_ / (with_trace ? "policy" : "policy-fast"),
                                              {.precision = runtime::kServedPrecision});
    pipeline::PolicyEvalRequest request{.stage = "policy",
                                        .with_trace = with_trace,
                                        .seed = 1,
                                        .threads = 2,
                                        .max_trace = bundle_->options().max_trace,
                                        .options = {}};
    request.options.unconstrained = request.options.shuffled = request.options.timed = 0;
    const auto policy =
        pipeline::evaluate_policy(engine, bundle_->prompts(), slates, upstream, request);
    const data::Split split = data::leave_one_out(bundle_->dataset());
    std::vector<Asked> all;
    for (size_t t = 0; t < slates.size(); ++t) {
      const data::Target& target = split.test.targets[t];
      const auto times = bundle_->dataset().times_of(target.user);
      Asked asked{.history = ids(bundle_->dataset().items_of(target.user).first(target.position)),
                  .times = {times.begin(), times.begin() + target.position},
                  .time = times[target.position],
                  .upstream = ids(upstream.lists[t]),
                  .policy = {}};
      if (slates[t].positives() > 0) asked.policy = ids(policy.result.lists[t]);
      all.push_back(std::move(asked));
    }
    return all;
  }

  // answers[t] belongs to asked[t].
  static void expect_same(const std::vector<Asked>& asked, const std::vector<Ids>& answers) {
    ASSERT_EQ(asked.size(), answers.size());
    size_t compared = 0, moved = 0;
    for (size_t t = 0; t < asked.size(); ++t) {
      if (asked[t].policy.empty()) continue;
      ASSERT_EQ(answers[t], asked[t].policy) << "target " << t;
      moved += asked[t].policy != asked[t].upstream;
      ++compared;
    }
    EXPECT_GE(compared, kCompared);
    EXPECT_GT(moved, compared / 2) << "the policy does something";
  }

  static serving::Request request_of(const Asked& asked) {
    serving::Request request;
    request.history = asked.history;
    request.times = asked.times;
    request.time = asked.time;
    return request;
  }

  static Json line_of(const Asked& asked, size_t number) {
    return {
        {"id", number}, {"history", asked.history}, {"times", asked.times}, {"time", asked.time}};
  }

  // The rankings that a command prints for lines.
  static std::vector<Ids> rankings(const Ids& arguments, const std::string& lines) {
    CLI::App app;
    add_recommend_command(app);
    add_rerank_command(app);
    std::istringstream in(lines);
    std::streambuf* const before = std::cin.rdbuf(in.rdbuf());
    testing::internal::CaptureStdout();
    app.parse(Ids(arguments.rbegin(), arguments.rend()));
    std::cin.rdbuf(before);
    std::istringstream out(testing::internal::GetCapturedStdout());
    std::vector<Ids> rankings;
    for (std::string line; std::getline(out, line);) {
      rankings.push_back(parse_json(line, "answer").at("ranking").get<Ids>());
    }
    return rankings;
  }

  static inline fs::path root_, bundle_dir_;
  static inline std::shared_ptr<const serving::Bundle> bundle_;
};

TEST_F(ServedTest, TheRecommenderRanksAsEvaluationDid) {
  const serving::Recommender recommender(bundle_, std::make_shared<serving::MemoryState>(),
                                         {.threads = 2});
  for (const bool explain : {false, true}) {
    const std::vector<Asked> asked = evaluated(explain);
    std::vector<std::future<serving::Answer>> pending;
    for (const Asked& target : asked) {
      serving::Request request = request_of(target);
      request.explain = explain;
      pending.push_back(recommender.submit(request));
    }
    std::vector<Ids> answers;
    for (size_t t = 0; t < asked.size(); ++t) {
      const serving::Answer answer = pending[t].get();
      Ids upstream(answer.items.size());
      answers.emplace_back();
      for (const serving::AnswerItem& item : answer.items) {
        answers.back().push_back(item.id);
        upstream[size_t(item.upstream_rank)] = item.id;
      }
      ASSERT_EQ(upstream, asked[t].upstream) << "target " << t;
    }
    expect_same(asked, answers);
  }
}

TEST_F(ServedTest, TheCommandsRankAsEvaluationDid) {
  const std::vector<Asked> asked = evaluated(false);
  std::string requests, slates;
  for (size_t t = 0; t < asked.size(); ++t) {
    Json line = line_of(asked[t], t);
    requests += line.dump() + "\n";
    line["candidates"] = asked[t].upstream;
    slates += line.dump() + "\n";
  }
  const std::string bundle = bundle_dir_.string();
  expect_same(asked, rankings({"recommend", "--bundle", bundle, "--requests"}, requests));
  expect_same(asked, rankings({"rerank", "--bundle", bundle}, slates));
}

TEST_F(ServedTest, TheCInterfaceRanksAsEvaluationDid) {
  const std::vector<Asked> asked = evaluated(false);
  podium_bundle* bundle = nullptr;
  ASSERT_EQ(podium_open(bundle_dir_.c_str(), nullptr, &bundle), PODIUM_OK) << podium_error();
  std::vector<Ids> answers;
  for (const Asked& target : asked) {
    std::vector<const char*> history;
    for (const std::string& id : target.history) history.push_back(id.c_str());
    podium_request request = PODIUM_REQUEST_INIT;
    request.history = history.data();
    request.history_size = history.size();
    request.times = target.times.data();
    request.time = &target.time;
    podium_answer* answer = nullptr;
    ASSERT_EQ(podium_recommend(bundle, &request, &answer), PODIUM_OK) << podium_error();
    podium_answer_info info = PODIUM_ANSWER_INFO_INIT;
    podium_answer_get_info(answer, &info);
    answers.emplace_back();
    for (size_t r = 0; r < info.size; ++r) {
      podium_item item = PODIUM_ITEM_INIT;
      podium_answer_get_item(answer, r, &item);
      answers.back().emplace_back(item.id);
    }
    podium_answer_free(answer);
  }
  podium_close(bundle);
  expect_same(asked, answers);
}

}  // namespace
}  // namespace podium::cli
