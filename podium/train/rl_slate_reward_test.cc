// RL on what a whole answer is worth: the choice of the second depends on the first.
#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/rerank/test_world.h"
#include "podium/runtime/test_weights.h"
#include "podium/train/qwen3.h"
#include "podium/train/rl.h"
#include "podium/train/test_job.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

using rerank::TestWorld;

class SlateRewards : public testing::Test {
 protected:
  SlateRewards() {
    setup_torch(1, 1);
    const rerank::ModelSpec spec = runtime::tiny_spec(world_.tokenizer().vocab());
    model_ = for_slates(Qwen3(spec, 3), TestWorld::kTextWidth, TestWorld::kNumbers, 3);
    Rng rng(11);
    while (slates_.train.size() < 400) slates_.train.push_back(two_and_two(rng));
    while (slates_.valid.size() < 100) slates_.valid.push_back(two_and_two(rng));
  }

  std::string_view category(rerank::ItemIndex item) const {
    return world_.dataset().categories(item).back();
  }

  // Two candidates each of two categories, in any order; the first number tells them apart.
  rerank::Slate two_and_two(Rng& rng) const {
    const int first = int(rng.below(4)), second = (first + 1 + int(rng.below(3))) % 4;
    rerank::Slate slate;
    slate.id = fmt::format("u{}@1", rng.below(1000000));
    for (const int kind : {first, first, second, second}) {
      rerank::SlateCandidate candidate{.gain = uint8_t(slate.candidates.empty())};
      const int twin = slate.candidates.size() % 2 == 0 ? 0 : 5;  // another of the category
      candidate.item = world_.item(4 * (twin + int(rng.below(5))) + kind);
      candidate.numbers = {kind == first ? 1.0F : -1.0F, 0, 0};
      slate.candidates.push_back(candidate);
    }
    rng.shuffle(std::span(slate.candidates));
    return slate;
  }

  // Share of greedy answers that begin with two categories.
  double alternating() const {
    const auto answers = engine_over(*model_).decode(world_.context_with_text(), slates_.valid,
                                                     {.with_trace = false}, 1);
    double alternate = 0;
    for (size_t i = 0; i < answers.size(); ++i) {
      const auto& candidates = slates_.valid[i].candidates;
      alternate += category(candidates[size_t(answers[i].order[0])].item) !=
                   category(candidates[size_t(answers[i].order[1])].item);
    }
    return alternate / double(answers.size());
  }

  const TestWorld world_;
  Qwen3 model_{nullptr};
  SlateSets slates_;
};

TEST_F(SlateRewards, UnderCoverageAPolicyLearnsToAlternateCategories) {
  const data::ItemFacts facts = data::item_facts(data::View{&world_.dataset(), {}});
  RlOptions options;
  options.rank = "coverage@2";
  options.steps = 40;
  options.prompts = 16;
  options.learning_rate = 3e-3;
  options.eval_every = 20;
  const double before = alternating();
  EXPECT_LT(before, 0.8) << "two thirds by chance";
  const Json stats = reinforce(model_, world_.context_with_text(), slates_,
                               {options, /*with_trace=*/false, &facts}, fresh_job("alternate"));
  EXPECT_GT(alternating(), 0.95) << stats.dump();
  // The best is the one of the largest reward, whatever its NDCG: two categories of three names.
  const Json& curve = stats["validation"];
  EXPECT_LT(stats["likeness"]["before"], 0.95);
  EXPECT_EQ(stats["likeness"]["after"], 1) << "what stands is weighed before the first step";
  EXPECT_NEAR(curve[0]["value"].get<double>(), 2.0 / 3 + before / 3, 1e-9) << "as it came";
  EXPECT_GT(curve[1]["value"], 0.99);
  EXPECT_NEAR(curve[1 + stats["best_step"].get<int>() / 20]["value"].get<double>(),
              2.0 / 3 + alternating() / 3, 1e-9);
}

TEST_F(SlateRewards, WithoutVectorsDistanceIsRefused) {
  const data::ItemFacts facts = data::item_facts(data::View{&world_.dataset(), {}});
  RlOptions options;
  options.rank = "ndcg-gain,ild:0.2";
  EXPECT_THROW(reinforce(model_, world_.context_with_text(), slates_, {options, false, &facts},
                         fresh_job("refused")),
               Error);
}

}  // namespace
}  // namespace podium::train
