#include <gtest/gtest.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/serving/test_bundle.h"
#include "podium/shadow/gate.h"
#include "podium/shadow/log_state.h"
#include "podium/store/store.h"

namespace podium::shadow {
namespace {

using serving::Bundle;
using serving::Recommender;
using store::Event;

constexpr int64_t kAfter = 2000000;  // later than the test shop's events

class ShadowTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = scratch("shadow");
    const fs::path dir = serving::write_test_bundle(root_);
    bundle_ = Bundle::open(dir);
    other_ = Bundle::open(serving::with_other_policy(dir, "other"));
    broken_ = Bundle::open(serving::with_broken_policy(dir, "broken"));
  }
  static void TearDownTestSuite() {
    bundle_.reset(), other_.reset(), broken_.reset();
    fs::remove_all(root_);
  }

  static HeldOutEvents held_out(const std::vector<Event>& newest, const serving::LiveState& state,
                                size_t most = 100) {
    return shadow::held_out(newest, state, *bundle_, *other_, kAfter + 1000, most);
  }
  std::shared_ptr<serving::MemoryState> state_of(const std::vector<Event>& events) {
    auto state = std::make_shared<serving::MemoryState>();
    for (const Event& event : events) state->add_event(event.user, event.event);
    return state;
  }
  // What the recommender puts first for `users` users, as what they then took.
  static std::vector<Event> foreseen_by(const Recommender& recommender, int users) {
    std::vector<Event> events;
    for (int u = 0; u < users; ++u) {
      serving::Request request;
      request.user = fmt::format("u{}", u);
      request.time = kAfter;
      const auto answer = recommender.answer(request);
      events.push_back({request.user, {answer.items[0].id, kAfter}});
    }
    return events;
  }
  static std::vector<Question> questions_of(const HeldOutEvents& found) {
    std::vector<Question> questions;
    for (const HeldOut& event : found.events) questions.push_back(question_of(event));
    return questions;
  }

  static inline fs::path root_;
  static inline std::shared_ptr<const Bundle> bundle_, other_, broken_;
};

TEST_F(ShadowTest, AnEventHeldOutKnowsNothingOfItselfNorOfWhatCameAfter) {
  const std::vector<Event> events = {{"u1", {"new", kAfter}},
                                     {"u1", {"i39", kAfter + 5}},
                                     {"u1", {"newer", kAfter + 5}},
                                     {"u1", {"newest", kAfter + 9}}};
  const auto found = held_out(events, *state_of(events));
  ASSERT_EQ(found.events.size(), 4u);
  EXPECT_EQ(found.events[0].item, "newest");
  const HeldOut& event = found.events[2];
  EXPECT_EQ(event.item, "i39");
  EXPECT_EQ(event.time, kAfter + 5);
  const size_t trained = bundle_->events_of("u1").size();
  ASSERT_EQ(event.history.size(), trained + 1) << "each of both bundles once, and one of the log";
  EXPECT_EQ(event.history.back(), "new") << "what was taken in the same second is no past";
  EXPECT_EQ(event.times.back(), kAfter);
  EXPECT_TRUE(std::ranges::is_sorted(event.times));
  EXPECT_LT(found.trained_until, kAfter);
  const Question question = question_of(event);
  EXPECT_EQ(question.request.history, event.history);
  EXPECT_EQ(question.request.time, kAfter + 5);
  EXPECT_EQ(question.taken, "i39");
}

TEST_F(ShadowTest, WhatTellsNothingIsNotHeldOut) {
  const std::string had = bundle_->events_of("u2").front().item;
  const std::vector<Event> events = {{"u2", {"i1", 86400}},  // no later than training
                                     {"u2", {had, kAfter}},
                                     {"u3", {"taken back", kAfter}},
                                     {"u4", {"shown", kAfter, "read"}},
                                     {"u5", {"to come", kAfter + 5000}},
                                     {"u6", {"good", kAfter}}};
  const auto state = state_of(events);
  state->remove_events("u3", "taken back", {});
  const auto found = held_out(events, *state);
  ASSERT_EQ(found.events.size(), 1u);
  EXPECT_EQ(found.events[0].item, "good");
  EXPECT_EQ(found.had, 1u);
  EXPECT_EQ(found.trained_on, 1u);
}

TEST_F(ShadowTest, NoSingleUserDecides) {
  std::vector<Event> events;
  for (int i = 0; i < 30; ++i) events.push_back({"bot", {fmt::format("b{}", i), kAfter + i}});
  events.push_back({"u1", {"new", kAfter - 5}});
  const auto state = state_of(events);
  EXPECT_EQ(held_out(events, *state).events.size(), kMostOfUser + 1);
  EXPECT_EQ(held_out(events, *state, 3).events.size(), 3u);
}

TEST_F(ShadowTest, ErasedUsersHaveNoPast) {
  auto state = std::make_shared<serving::MemoryState>();
  state->erase_user("u1");
  state->add_event("u1", {"new", kAfter});
  const auto found = held_out({{"u1", {"new", kAfter}}}, *state);
  ASSERT_EQ(found.events.size(), 1u);
  EXPECT_TRUE(found.events[0].history.empty());
}

TEST_F(ShadowTest, TheSameBundleIsAsGood) {
  const auto state = std::make_shared<serving::MemoryState>();
  const Recommender active(bundle_, state), candidate(bundle_, state);
  std::vector<Question> questions;
  fill_up(questions, *bundle_, 50);
  EXPECT_EQ(questions.size(), 50u);
  const Report report = compare(active, candidate, questions);
  EXPECT_EQ(report.questions, 50u);
  EXPECT_EQ(report.overlap, 1);
  EXPECT_EQ(report.same_first, 1);
  EXPECT_EQ(report.rank_change, 0);
  EXPECT_FALSE(report.foreseen) << "nothing was held out";
  EXPECT_EQ(report.of_active.items, 40u);
  EXPECT_GT(report.of_active.shown, 10u);
  EXPECT_EQ(report.of_candidate.unknown, 0u);
  EXPECT_TRUE(objections(report).empty());
  EXPECT_NE(render(report).find("100 % in common"), std::string::npos) << render(report);
}

TEST_F(ShadowTest, ABundleThatForeseesLessIsRefusedByItsFigure) {
  const auto empty = std::make_shared<serving::MemoryState>();
  const auto events = foreseen_by(Recommender(bundle_, empty), 60);
  const auto state = state_of(events);
  const Recommender active(bundle_, state), candidate(other_, state);
  const auto questions = questions_of(held_out(events, *state));
  ASSERT_EQ(questions.size(), 60u);
  const Report report = compare(active, candidate, questions);
  ASSERT_TRUE(report.foreseen);
  EXPECT_EQ(report.foreseen->users, 60u);
  EXPECT_EQ(report.foreseen->active[eval::kN10].value, 1) << "it foresaw all of them";
  EXPECT_EQ(report.foreseen->candidate[eval::kR10].value, 1) << "the same slate";
  EXPECT_LT(report.foreseen->difference[eval::kN10].high, 0) << "in another order";
  EXPECT_GT(*report.rank_change, 0);
  const auto against = objections(report);
  ASSERT_EQ(against.size(), 1u);
  EXPECT_EQ(against[0].substr(0, 29), "N@10 on 60 events held out: -") << against[0];
  EXPECT_TRUE(objections(compare(candidate, active, questions)).empty()) << "the better one";
  const Json json = to_json(report);
  EXPECT_EQ(json["foreseen"]["N@10"]["active"]["value"], 1);
}

TEST_F(ShadowTest, ABundleThatFailsIsRefusedByItsFigure) {
  const auto state = std::make_shared<serving::MemoryState>();
  const Recommender active(bundle_, state), candidate(broken_, state);
  std::vector<Question> questions;
  fill_up(questions, *bundle_, 20);
  questions[0].request.explain = questions[1].request.explain = true;
  const Report report = compare(active, candidate, questions);
  EXPECT_EQ(report.of_active.failed, 0u);
  EXPECT_EQ(report.of_candidate.failed, 2u);
  const auto against = objections(report);
  ASSERT_EQ(against.size(), 1u);
  EXPECT_EQ(against[0].substr(0, 43), "answers that fail: 10.0 % with it, 0.0 % no") << against[0];
}

TEST_F(ShadowTest, ADeadlineIsThatOfTheQuestion) {
  const auto state = std::make_shared<serving::MemoryState>();
  const Recommender active(bundle_, state);
  std::vector<Question> questions;
  fill_up(questions, *bundle_, 10);
  for (Question& question : questions) {
    question.request.deadline = serving::Clock::now();  // when it was asked first
    question.within = question.taken.empty() ? std::chrono::hours(1) : question.within;
  }
  EXPECT_EQ(compare(active, active, questions).of_active.degraded, 0u);
  questions[0].within = std::chrono::nanoseconds(1);
  const Report report = compare(active, active, questions);
  EXPECT_EQ(report.of_active.degraded, 1u);
  EXPECT_FALSE(report.of_active.went_without.empty());
}

TEST_F(ShadowTest, EndsWhenToldTo) {
  const auto state = std::make_shared<serving::MemoryState>();
  const Recommender active(bundle_, state);
  std::vector<Question> questions;
  fill_up(questions, *bundle_, 10);
  const Report none = compare(active, active, questions, {.most = std::chrono::seconds(0)});
  EXPECT_EQ(none.questions, 0u);
  EXPECT_EQ(none.planned, 10u);
  EXPECT_TRUE(objections(none).empty());
  EXPECT_NE(to_json(none).dump().find(R"("overlap":null)"), std::string::npos);
  const std::atomic<bool> stop{true};
  EXPECT_THROW(compare(active, active, questions, {.stop = &stop}), Error);
}

TEST(Gate, EachLimitHolds) {
  Report report;
  report.questions = 100;
  report.of_active.history = report.of_candidate.history = 1000;
  report.of_active.p50_ms = 10, report.of_candidate.p50_ms = 20, report.latency_ratio = 2;
  report.of_candidate.failed = 1;
  report.of_candidate.degraded = 5;
  report.of_candidate.unknown = 100;
  EXPECT_TRUE(objections(report).empty()) << "as much as is allowed";
  report.of_candidate.failed = 2;
  report.of_candidate.failure = "no such thing";
  report.of_candidate.degraded = 6;
  report.of_candidate.unknown = 101;
  report.latency_ratio = 2.1;
  report.foreseen = Foreseen{.events = 500, .users = 20};
  report.foreseen->difference[eval::kN10] = {-.02, -.03, -.01};
  const auto against = objections(report);
  ASSERT_EQ(against.size(), 5u);
  EXPECT_NE(against[0].find("no such thing"), std::string::npos) << against[0];
  EXPECT_NE(against[3].find("2.1 times"), std::string::npos) << against[3];
  report.of_active.failed = 1, report.of_active.degraded = 1, report.of_active.unknown = 1;
  report.foreseen->difference[eval::kN10].high = 0;
  report.of_candidate.p50_ms = 4;
  EXPECT_TRUE(objections(report).empty()) << "no worse than now; and of so little time no word";
  report.foreseen->difference[eval::kN10].high = -.01;
  report.foreseen->users = 19;
  EXPECT_TRUE(objections(report).empty()) << "too few users to tell";
}

TEST(LogState, IsWhatAStoreOfTheFolderWouldSay) {
  const fs::path dir = scratch_dir("log_state");
  store::Store store(dir);  // open, as in a server
  store.append({Event{"a", {"i1", 5, "click"}}, Event{"a", {"i2", 6}}, Event{"b", {"i1", 7}},
                Event{"gone", {"i1", 8}}, store::PutItem{{.id = "x", .title = "X"}},
                store::PutItem{{.id = "y"}}, store::RemoveItem{"y"},
                store::RemoveEvents{"a", "i1", "click"}});
  store.erase_user("gone");
  store.add_event("gone", {"i3", 9});
  const LogState state(dir);
  for (const char* user : {"a", "b", "gone", "nobody"}) {
    EXPECT_EQ(state.history_of(user).events, store.history_of(user).events) << user;
    EXPECT_EQ(state.history_of(user).erased, store.history_of(user).erased) << user;
  }
  EXPECT_TRUE(state.history_of("gone").erased);
  EXPECT_EQ(state.items(), store.items());
  ASSERT_EQ(state.newest_events().size(), 4u);
  EXPECT_EQ(state.newest_events().back().user, "gone");
  EXPECT_EQ(newest_events(dir, store.applied()).size(), 4u);
  EXPECT_THROW(LogState(scratch_dir("log_state_empty")), Error);
}

}  // namespace
}  // namespace podium::shadow
