// A warmed batch allocates nothing between the reading of its prompts and its answers. This file
// counts every operator new of the test program.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <utility>

#include "podium/rerank/test_world.h"
#include "podium/runtime/decoder.h"
#include "podium/runtime/model.h"
#include "podium/runtime/test_weights.h"

namespace {

thread_local size_t allocations = 0;

}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
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
  const Policy policy(engine, context);
  const auto now = Clock::now();
  RunningBatch batch(policy, {.pass_tokens = 4096, .now = [&] { return now; }});
  for (const int draft : {0, 6}) {
    size_t steps = 0, allocated = 0, answered = 0;
    for (int run = 0; run < 2; ++run) {
      Rng rng(5);
      for (size_t i = 0; i < 4; ++i) {
        const DecodeOptions options{.max_trace = 30,
                                    .temperature = double(i % 2),
                                    .draft = draft,
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
    EXPECT_EQ(allocated, 0u) << "draft of " << draft;
  }
}

}  // namespace
}  // namespace podium::runtime
