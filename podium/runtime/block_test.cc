// Several names of an answer from one state (DecodeOptions::block).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/rerank/reward.h"
#include "podium/rerank/test_world.h"
#include "podium/runtime/engine.h"
#include "podium/runtime/test_engine.h"

namespace podium::runtime {
namespace {

using rerank::Slate;
using rerank::TokenKind;

class BlockTest : public EngineFixture {
 protected:
  // Of the state that the rollout's first name was chosen from, [vocab], slowly.
  std::vector<double> first_logits(const Slate& slate, const Rollout& rollout) const {
    const auto all = logits(slate, std::span(rollout.tokens).first(1));
    return {all.end() - spec_.vocab, all.end()};
  }

  // Of the rollout's trace: its tokens that were not forced.
  static int trace_steps(const Rollout& rollout) {
    return int(std::ranges::count(rollout.kind, TokenKind::kTrace));
  }
};

// Every answer is a permutation in a block's number of passes, the same whatever the batch; names
// are chosen as their block's state has them.
TEST_F(BlockTest, BlocksOfNamesAreChosenFromOneState) {
  const auto batch = slates(4, 9);
  for (const bool with_trace : {false, true}) {
    DecodeOptions options{.with_trace = with_trace, .max_trace = 8, .samples = 2};
    for (const double temperature : {0.0, 1.0}) {
      options.temperature = temperature;
      options.block = 1;
      const auto one_by_one = engine_.decode(world_.context(), batch, options, 1);
      for (const int block : {2, 4, 8, 100}) {
        options.block = block;
        const auto blocks = engine_.decode(world_.context(), batch, options, 2);
        for (size_t i = 0; i < blocks.size(); ++i) {
          const Rollout &one = one_by_one[i], &some = blocks[i];
          EXPECT_TRUE(rerank::is_permutation_of(some.order, 9));
          EXPECT_EQ(some.order.front(), one.order.front()) << "by the same state";
          EXPECT_EQ(some.tokens.size(), one.tokens.size());
          const int chosen = one.steps - (with_trace ? trace_steps(one) : 0);
          EXPECT_EQ(some.steps - (one.steps - chosen), (chosen + block - 1) / block);
          EXPECT_EQ(rerank::parse_answer(world_.context(), batch[i / 2], some.tokens).order,
                    some.order);
        }
      }
    }
  }
}

// One block of all names is the verbaliser's order, and what it says is what was likely.
TEST_F(BlockTest, OneBlockIsTheOrderOfTheFirstState) {
  const auto batch = slates(5, 7);
  const DecodeOptions block{.with_trace = false, .block = 7};
  const DecodeOptions verbal{.with_trace = false, .verbalize = true};
  const auto blocks = engine_.decode(world_.context(), batch, block, 1);
  const auto verbalized = engine_.decode(world_.context(), batch, verbal, 1);
  for (size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(blocks[i].order, verbalized[i].order);
    EXPECT_EQ(blocks[i].steps, 1);
    const std::vector<double> row = first_logits(batch[i], blocks[i]);
    double left = 0;  // of the names not said yet
    for (size_t r = 7; r-- > 0;) {
      const TokenId name = world_.vocabulary().candidate(size_t(blocks[i].order[r]));
      left += std::exp(row[size_t(name)]);
      const size_t at = 1 + 2 * r;  // after the answer's beginning, and commas
      ASSERT_EQ(blocks[i].tokens[at], name);
      EXPECT_NEAR(blocks[i].logprob[at], row[size_t(name)] - std::log(left), 1e-4);
    }
  }
  EXPECT_THROW(engine_.decode(world_.context(), batch, {.block = 0}, 1), Error);
}

}  // namespace
}  // namespace podium::runtime
