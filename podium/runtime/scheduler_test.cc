#include "podium/runtime/scheduler.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>

#include "podium/base/error.h"
#include "podium/rerank/reward.h"
#include "podium/rerank/test_world.h"
#include "podium/runtime/engine.h"
#include "podium/runtime/test_weights.h"

namespace podium::runtime {
namespace {

using rerank::Slate;
using rerank::TestWorld;
using std::chrono::milliseconds;

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest()
      : spec_(tiny_spec(world_.tokenizer().vocab())),
        weights_(spec_, 1),
        engine_(spec_, weights_.weights(), {.prefix_bytes = 16 << 20}),
        context_(world_.context()),
        policy_(engine_.parts(), context_) {}

  std::vector<Slate> slates(size_t n, int k = 6) const {
    Rng rng(99);
    std::vector<Slate> result;
    for (size_t i = 0; i < n; ++i) result.push_back(world_.random_slate(rng, k));
    return result;
  }

  // A request whose answer goes to `rollout`.
  static Request request(const Slate& slate, const DecodeOptions& options, Rollout& rollout) {
    return {slate, options, [&rollout](std::vector<Rollout> result, const std::exception_ptr&) {
              rollout = result.at(0);
            }};
  }

  // Requests of every kind, of unequal length.
  static DecodeOptions mixed(size_t i) {
    return {.with_trace = i % 3 != 0,
            .max_trace = int(3 + 5 * (i % 4)),
            .temperature = i % 2 == 0 ? 0.0 : 1.0,
            .samples = int(1 + i % 5 / 2),
            .verbalize = i % 6 == 0,
            .block = int(1 + i % 4),
            .seed = i};
  }

  static void expect_same(const std::vector<Rollout>& a, const std::vector<Rollout>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].order, b[i].order);
      ASSERT_EQ(a[i].tokens, b[i].tokens);
      for (size_t t = 0; t < a[i].logprob.size(); ++t) {
        EXPECT_NEAR(a[i].logprob[t], b[i].logprob[t], 1e-5);
      }
    }
  }

  TestWorld world_;
  rerank::ModelSpec spec_;
  TestWeights weights_;
  Engine engine_;
  rerank::PromptContext context_;
  Policy policy_;
};

TEST_F(SchedulerTest, AnswersAreThoseOfTheEngine) {
  const auto all = slates(24);
  for (const int threads : {1, 3}) {
    for (const size_t pass_tokens : {size_t{40}, size_t{1000}}) {
      Scheduler scheduler(policy_, {.threads = threads, .batch = {4, pass_tokens}});
      std::vector<std::future<std::vector<Rollout>>> answers;
      for (size_t i = 0; i < all.size(); ++i) {
        answers.push_back(scheduler.submit(all[i], mixed(i)));
      }
      for (size_t i = 0; i < all.size(); ++i) {
        const std::span<const Slate> single(&all[i], 1);
        expect_same(answers[i].get(), engine_.decode(context_, single, mixed(i), 1));
      }
      EXPECT_EQ(scheduler.stats().answered, all.size());
      EXPECT_EQ(scheduler.stats().late, 0u);
    }
  }
}

TEST_F(SchedulerTest, NewcomersJoinWhileOthersAreUnderWay) {
  const auto all = slates(2);
  RunningBatch batch(policy_, {});
  const DecodeOptions slow{.max_trace = 40, .temperature = 1};
  Rollout first, second;
  batch.add(request(all[0], slow, first));
  for (int i = 0; i < 5; ++i) batch.step();
  batch.add(request(all[1], {.with_trace = false, .verbalize = true}, second));
  batch.step();
  batch.step();
  EXPECT_TRUE(first.order.empty());
  EXPECT_FALSE(second.order.empty());
  while (!batch.empty()) batch.step();
  expect_same({first}, engine_.decode(context_, {&all[0], 1}, slow, 1));
}

TEST_F(SchedulerTest, AnsweredWhatWasSubmittedBeforeTheEnd) {
  const auto all = slates(12);
  std::atomic<int> answered{0};
  {
    Scheduler scheduler(policy_, {.threads = 2});
    for (const Slate& slate : all) {
      scheduler.submit({slate, {.with_trace = false}, [&](const auto& rollouts, const auto&) {
                          EXPECT_EQ(rollouts.size(), 1u);
                          ++answered;
                        }});
    }
  }
  EXPECT_EQ(answered, 12);
}

TEST_F(SchedulerTest, AnErrorIsItsRequestsOwn) {
  Slate longest = slates(1, 40)[0];
  while (longest.history.size() < 2000) longest.history.push_back(longest.history.front());
  auto context = world_.context({.max_history = 2000});
  const Policy policy(engine_.parts(), context);
  Scheduler scheduler(policy, {});
  auto refused = scheduler.submit(longest, {.with_trace = false});
  auto answered = scheduler.submit(slates(1)[0], {.with_trace = false});
  EXPECT_THROW(refused.get(), Error);
  EXPECT_EQ(answered.get().at(0).order.size(), 6u);
}

// Whatever a request holds, it fails by itself, with what to do about it.
TEST_F(SchedulerTest, RequestsThatCannotBeAnsweredSaySo) {
  Scheduler scheduler(policy_, {});
  const Policy without_traces(engine_.parts(), context_, /*traces=*/false);
  Scheduler fast(without_traces, {});
  const auto refused = [](std::future<std::vector<Rollout>> answer) {
    try {
      answer.get();
    } catch (const Error& error) {
      return !error.cure().empty();
    }
    return false;
  };
  const Slate good = slates(1)[0];
  Slate empty = good, long_one = good, unknown = good, unseen = good, strange = good;
  empty.candidates.clear();
  long_one.candidates.resize(rerank::kMaxCandidates + 1);
  unknown.candidates[2].item = TestWorld::kItems;
  unseen.history[0] = 4000000000;
  strange.candidates[1].evidence[0] = 4;
  for (const Slate& slate : {empty, long_one, unknown, unseen, strange}) {
    EXPECT_TRUE(refused(scheduler.submit(slate, {.with_trace = false})));
  }
  EXPECT_TRUE(refused(scheduler.submit(good, {.samples = 0})));
  EXPECT_TRUE(refused(scheduler.submit(good, {.max_trace = 2000000000})));
  EXPECT_TRUE(refused(scheduler.submit(good, {.constrained = false, .max_tokens = 0})));
  EXPECT_TRUE(refused(scheduler.submit(good, {.verbalize = true, .constrained = false})));
  EXPECT_TRUE(refused(fast.submit(good, {.with_trace = true})));
  EXPECT_EQ(fast.submit(good, {.with_trace = false}).get().at(0).order.size(), 6u);
  EXPECT_EQ(scheduler.submit(good, {.max_trace = -1}).get().at(0).order.size(), 6u);
}

TEST_F(SchedulerTest, LogitsThatAreNoNumbersFailTheirRequest) {
  TestWeights broken(spec_, 1);
  std::ranges::fill(broken.data["model.norm.weight"], std::numeric_limits<float>::max());
  const Engine engine(spec_, broken.weights());
  const Policy policy(engine.parts(), context_);
  Scheduler scheduler(policy, {});
  for (const double temperature : {0.0, 1.0}) {
    for (const bool with_trace : {true, false}) {
      for (const bool constrained : {true, false}) {
        EXPECT_THROW(scheduler
                         .submit(slates(1)[0], {.with_trace = with_trace,
                                                .temperature = temperature,
                                                .samples = 2,
                                                .constrained = constrained})
                         .get(),
                     Error);
      }
    }
  }
  EXPECT_THROW(scheduler.submit(slates(1)[0], {.with_trace = false, .verbalize = true}).get(),
               Error);
}

// Weights that only some requests meet: those beside them in the batch are answered. Only one token
// has anything in dimension 0, which the first layer's gate sends beyond the greatest float.
TEST_F(SchedulerTest, OneBrokenItemSpoilsNoOtherRequest) {
  const auto all = slates(2);
  const auto codes = [&](const Slate& slate) {
    std::vector<TokenId> tokens;
    for (const auto& candidate : slate.candidates) {
      rerank::append_sid(context_, candidate.item, tokens);
    }
    for (const auto item : slate.history) rerank::append_sid(context_, item, tokens);
    return tokens;
  };
  const auto met = codes(all[0]), others = codes(all[1]);
  const auto only = std::find_if(met.begin(), met.end(), [&](TokenId token) {
    return std::count(others.begin(), others.end(), token) == 0;
  });
  ASSERT_NE(only, met.end());
  TestWeights broken(spec_, 1);
  const auto hidden = size_t(spec_.hidden);
  auto& embedding = broken.data["model.embed_tokens.weight"];
  for (size_t at = 0; at < embedding.size(); at += hidden) embedding[at] = 0;
  embedding[size_t(*only) * hidden] = 1;
  auto& attended = broken.data["model.layers.0.self_attn.o_proj.weight"];
  std::fill_n(attended.begin(), spec_.heads * spec_.head_dim, 0.0f);
  auto& gate = broken.data["model.layers.0.mlp.gate_proj.weight"];
  for (size_t at = 0; at < gate.size(); at += hidden) gate[at] = std::numeric_limits<float>::max();
  const Engine engine(spec_, broken.weights());
  const Policy policy(engine.parts(), context_);
  RunningBatch batch(policy, {});
  std::exception_ptr errors[2];
  Rollout answered;
  for (size_t i = 0; i < 2; ++i) {
    batch.add({all[i], {.with_trace = false}, [&, i](auto rollouts, const auto& error) {
                 errors[i] = error;
                 if (!error) answered = rollouts.at(0);
               }});
  }
  while (!batch.empty()) batch.step();
  ASSERT_TRUE(errors[0]);
  EXPECT_THROW(std::rethrow_exception(errors[0]), Error);
  EXPECT_FALSE(errors[1]);
  expect_same({answered}, engine.decode(context_, {&all[1], 1}, {.with_trace = false}, 1));
}

// What the batch throws (here, as if out of memory) fails those in it; the thread goes on.
TEST_F(SchedulerTest, AThreadOutlivesItsBatch) {
  std::atomic<int> calls{0};
  const auto now = [&]() -> Clock::time_point {
    if (++calls == 2) throw std::bad_alloc();
    return Clock::time_point{};
  };
  Scheduler scheduler(policy_, {.batch = {8, 128, now}});
  const DecodeOptions options{.with_trace = false,
                              .deadline = Clock::time_point{} + milliseconds(5)};
  EXPECT_THROW(scheduler.submit(slates(1)[0], options).get(), std::bad_alloc);
  EXPECT_EQ(scheduler.submit(slates(1)[0], options).get().at(0).order.size(), 6u);
}

TEST_F(SchedulerTest, ALateRolloutKeepsItsNames) {
  const Slate slate = slates(1)[0];
  const DecodeOptions in_time{.with_trace = false};
  const Rollout whole = engine_.decode(context_, {&slate, 1}, in_time, 1).at(0);
  const Rollout guess =
      engine_.decode(context_, {&slate, 1}, {.with_trace = false, .verbalize = true}, 1).at(0);
  std::vector<int> upstream(6);
  std::iota(upstream.begin(), upstream.end(), 0);
  for (int steps = 0; steps <= 5; ++steps) {
    Clock::time_point now{};
    RunningBatch batch(policy_, {.pass_tokens = 4096, .now = [&] { return now; }});
    DecodeOptions options = in_time;
    options.deadline = now + milliseconds(10);
    Rollout rollout;
    batch.add(request(slate, options, rollout));
    batch.step();                                  // reads the history and the items
    for (int i = 0; i < steps; ++i) batch.step();  // each chooses one name
    now += milliseconds(10);
    batch.step();
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(rollout.late, steps < 5);  // the sixth name is forced
    ASSERT_TRUE(rerank::is_permutation_of(rollout.order, 6));
    EXPECT_TRUE(
        std::equal(rollout.order.begin(), rollout.order.begin() + steps, whole.order.begin()));
    if (steps <= 1) {
      EXPECT_EQ(rollout.order, steps == 0 ? upstream : guess.order);
    }
  }
}

TEST_F(SchedulerTest, ALateTraceIsAnsweredInTheSlatesOrder) {
  const auto all = slates(3);
  Clock::time_point now{};
  RunningBatch batch(policy_, {.now = [&] { return now; }});
  std::vector<Rollout> rollouts(3);
  for (size_t i = 0; i < 3; ++i) {
    DecodeOptions options{.max_trace = 30, .temperature = 1};
    if (i != 1) options.deadline = now + milliseconds(5 + i);
    batch.add(request(all[i], options, rollouts[i]));
  }
  while (!batch.empty()) {
    batch.step();
    now += milliseconds(2);
  }
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(rollouts[i].late, i != 1);
    ASSERT_TRUE(rerank::is_permutation_of(rollouts[i].order, 6));
    const bool named = std::count(rollouts[i].kind.begin(), rollouts[i].kind.end(),
                                  rerank::TokenKind::kChoice) > 0;
    EXPECT_EQ(named, i == 1);
    EXPECT_EQ(std::is_sorted(rollouts[i].order.begin(), rollouts[i].order.end()), !named);
  }
  expect_same({rollouts[1]},
              engine_.decode(context_, {&all[1], 1}, {.max_trace = 30, .temperature = 1}, 1));
}

TEST_F(SchedulerTest, TellsWhatItSaysAndStopsWhenNobodyListens) {
  const Slate slate = slates(1).front();
  const auto decoded = [&](size_t most) {
    std::vector<std::vector<TokenId>> told;
    Rollout rollout;
    Scheduler scheduler(policy_, {});
    Request asked = request(slate, {.max_trace = 8}, rollout);
    std::promise<void> over;
    asked.done = [&, done = asked.done](auto rollouts, const auto& error) {
      done(std::move(rollouts), error);
      over.set_value();
    };
    asked.progress = [&](std::span<const TokenId> tokens) {
      told.emplace_back(tokens.begin(), tokens.end());
      return told.size() < most;
    };
    scheduler.submit(std::move(asked));
    over.get_future().wait();
    for (size_t i = 0; i < told.size(); ++i) {
      EXPECT_TRUE(std::equal(told[i].begin(), told[i].end(), rollout.tokens.begin()));
      EXPECT_TRUE(i == 0 || told[i].size() > told[i - 1].size());
    }
    return std::pair(told.size(), rollout);
  };
  const auto [choices, whole] = decoded(1000);
  EXPECT_FALSE(whole.late);
  EXPECT_EQ(int(choices) + 1, whole.steps);
  const auto [heard, cut] = decoded(3);
  EXPECT_EQ(heard, 3U);
  EXPECT_EQ(cut.steps, 3);
  EXPECT_TRUE(cut.late);
  EXPECT_TRUE(rerank::is_permutation_of(cut.order, slate.candidates.size()));
}

TEST_F(SchedulerTest, ExpiredRequestsNeedNotWaitForRoom) {
  const Clock::time_point now{};
  Scheduler scheduler(policy_, {.batch = {1, 64, [&] { return now; }}});
  std::vector<std::future<std::vector<Rollout>>> answers;
  for (const Slate& slate : slates(8)) {
    answers.push_back(scheduler.submit(slate, {.with_trace = false, .deadline = now}));
  }
  for (auto& answer : answers) {
    const Rollout rollout = answer.get().at(0);
    EXPECT_TRUE(rollout.late);
    EXPECT_EQ(rollout.order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  }
  EXPECT_EQ(scheduler.stats().late, 8u);
}

TEST_F(SchedulerTest, RunsOnTheCoresThatItIsGiven) {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  int core = 0;
  while (!CPU_ISSET(size_t(core), &allowed)) ++core;
  std::atomic<int> seen{-1};
  {
    Scheduler scheduler(policy_, {.threads = 2, .cores = {core}});
    scheduler.submit({slates(1)[0],
                      {.with_trace = false, .verbalize = true},
                      [&](const auto&, const auto&) { seen = sched_getcpu(); }});
  }
  EXPECT_EQ(seen, core);
  EXPECT_THROW(Scheduler(policy_, {.cores = {-1}}), Error);
  EXPECT_THROW(Scheduler(policy_, {.cores = {100000}}), Error);
}

}  // namespace
}  // namespace podium::runtime
