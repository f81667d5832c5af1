// A warmed batch allocates nothing between the reading of its prompts and its answers. This file
// counts every operator new of the test program.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <utility>

#include "podium/rerank/test_world.h"
#include "podium/runtime/decoder.h"
#include "podium/runtime/engine.h"
#include "podium/runtime/model.h"
#include "podium/runtime/test_weights.h"

namespace {

thread_local size_t allocations = 0;
thread_local size_t failing = 0;  // the how manieth from now on fails; 0: none

}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (failing > 0 && --failing == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// What temporary buffers of the standard library ask for.
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace podium::runtime {
namespace {

TEST(AllocationTest, StepsOfAWarmBatchAllocateNothing) {
  const rerank::TestWorld world;
  const rerank::ModelSpec spec = tiny_spec(world.tokenizer().vocab());
  const TestWeights weights(spec, 1);
  const Engine engine(spec, weights.weights(), {.precision = kernels::Precision::kInt8});
  const rerank::PromptContext context = world.context();
  const Policy policy(engine.parts(), context);
  const auto now = Clock::now();
  RunningBatch batch(policy, {.pass_tokens = 4096, .now = [&] { return now; }});
  size_t steps = 0, allocated = 0, answered = 0;
  for (int run = 0; run < 2; ++run) {
    Rng rng(5);
    for (size_t i = 0; i < 4; ++i) {
      const DecodeOptions options{.max_trace = 30,
                                  .temperature = double(i % 2),
                                  .block = int(1 + i / 2),
                                  .deadline = now + std::chrono::seconds(1)};
      batch.add(
          {world.random_slate(rng, 8), options, [&](const auto&, const auto&) { ++answered; }});
    }
    for (int read = 0; read < 2; ++read) batch.step();  // histories and items, candidates
    for (steps = allocated = 0; !batch.empty(); ++steps) {
      const size_t before = allocations;
      batch.step();
      allocated += allocations - before;
    }
  }
  EXPECT_EQ(answered, 8u);
  EXPECT_GT(steps, 10u);
  EXPECT_EQ(allocated, 0u);
}

// Wherever memory runs out, the request is answered once, with the error; the next one is answered.
TEST(AllocationTest, OutOfMemoryIsTheRequestsError) {
  const rerank::TestWorld world;
  const rerank::ModelSpec spec = tiny_spec(world.tokenizer().vocab());
  const TestWeights weights(spec, 1);
  const rerank::PromptContext context = world.context();
  const DecodeOptions options{.max_trace = 4, .samples = 2};
  Rng rng(5);
  const rerank::Slate slate = world.random_slate(rng, 5);
  size_t failures = 0;
  for (size_t at = 1;; ++at) {
    const Engine engine(spec, weights.weights(),
                        {.prefix_bytes = size_t{1} << 20, .item_bytes = size_t{1} << 20});
    const Policy policy(engine.parts(), context);
    RunningBatch batch(policy, {});
    std::vector<std::vector<Rollout>> answers;
    std::exception_ptr error;
    const auto ask = [&](size_t failing_allocation) {
      Request request{slate, options, [&](std::vector<Rollout> rollouts, const auto& problem) {
                        failing = 0;
                        error = problem;
                        answers.push_back(std::move(rollouts));
                      }};
      failing = failing_allocation;
      batch.add(std::move(request));
      while (!batch.empty()) batch.step();
    };
    answers.reserve(2);
    try {
      ask(at);
    } catch (const std::bad_alloc&) {
      batch.fail(std::current_exception());
    }
    failing = 0;
    ASSERT_EQ(answers.size(), 1u) << "allocation " << at;
    if (!error) break;
    ++failures;
    EXPECT_THROW(std::rethrow_exception(error), std::bad_alloc);
    ask(0);
    ASSERT_EQ(answers.size(), 2u);
    ASSERT_EQ(answers[1].size(), 2u);
    EXPECT_EQ(answers[1][0].order.size(), 5u);
  }
  EXPECT_GT(failures, 50u);
}

}  // namespace
}  // namespace podium::runtime
