// Who is credited with what: names by rank, and a student by its teacher.
#include <gtest/gtest.h>

#include "podium/rerank/test_world.h"
#include "podium/runtime/test_weights.h"
#include "podium/train/dapo.h"
#include "podium/train/policy_validate.h"
#include "podium/train/qwen3.h"
#include "podium/train/rl.h"
#include "podium/train/test_job.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

using rerank::TestWorld;
using torch::Tensor;

TEST(RankCredit, ANameAnswersForItselfAndWhatFollows) {
  const std::vector<uint8_t> gains = {0, 0, 1};
  std::vector<runtime::Rollout> rollouts(2);
  rollouts[0].order = {2, 0, 1};
  rollouts[1].order = {0, 1, 2};
  const auto a = rank_advantages(gains, rollouts);
  ASSERT_EQ(a.size(), 2u);
  // NDCG from each rank on: 1 0 0 and 1/2 1/2 1/2; deviation of .25 at every rank.
  const std::vector<float> first = {1, -1, -1};
  for (size_t r = 0; r < 3; ++r) {
    EXPECT_NEAR(a[0][r], first[r], 1e-4) << r;
    EXPECT_NEAR(a[1][r], -first[r], 1e-4) << r;
  }
  rollouts[1].order = rollouts[0].order;
  EXPECT_TRUE(rank_advantages(gains, rollouts).empty()) << "no order gains more than another";
  EXPECT_TRUE(rank_advantages(std::vector<uint8_t>{0, 0, 0}, rollouts).empty());
}

// Slates whose first number says which candidate the user will choose.
class Credited : public testing::Test {
 protected:
  Credited() {
    setup_torch(1, 1);
    Rng rng(11);
    while (slates_.train.size() < 300) slates_.train.push_back(numbered_slate(world_, rng, 5));
    while (slates_.valid.size() < 80) slates_.valid.push_back(numbered_slate(world_, rng, 5));
  }

  Qwen3 untaught(int hidden) const {
    rerank::ModelSpec spec = runtime::tiny_spec(world_.tokenizer().vocab());
    spec.hidden = hidden;
    spec.ffn = hidden + 16;
    return for_slates(Qwen3(spec, 3), TestWorld::kTextWidth, TestWorld::kNumbers, 3);
  }

  double ndcg(const Qwen3& model) const {
    return validate(*model, world_.context_with_text(), slates_.valid, {100, false, 8, 1}).ndcg;
  }

  RlOptions options() const {
    RlOptions rl;
    rl.steps = 20;
    rl.prompts = 16;
    rl.learning_rate = 3e-3;
    rl.eval_every = 10;
    return rl;
  }

  TestWorld world_;
  SlateSets slates_;
};

TEST_F(Credited, ByRankIsLearntFrom) {
  Qwen3 model = untaught(32);
  const double before = ndcg(model);
  RlOptions rl = options();
  rl.credit = "rank";
  reinforce(model, world_.context_with_text(), slates_, {rl, /*with_trace=*/false},
            fresh_job("credit"));
  EXPECT_GT(ndcg(model), before + 0.1);
}

TEST_F(Credited, AStudentFollowsItsTeacherWhereNoRewardSpeaks) {
  Qwen3 teacher = untaught(48);
  RlOptions rl = options();
  rl.steps = 40;
  reinforce(teacher, world_.context_with_text(), slates_, {rl, false}, fresh_job("teacher"));
  const double taught = ndcg(teacher);
  Qwen3 student = untaught(32);
  const double before = ndcg(student);
  ASSERT_GT(taught, before + 0.1);
  // The student's slates carry no label: all that it can learn is the teacher's.
  SlateSets silent = slates_;
  for (auto& slate : silent.train) {
    for (auto& candidate : slate.candidates) candidate.gain = 0;
  }
  rl.teacher_weight = 1;
  const StageJob job = fresh_job("student");
  reinforce(student, world_.context_with_text(), silent, {rl, false, nullptr, teacher.get()}, job);
  EXPECT_GT(ndcg(student), before + 0.7 * (taught - before));
}

TEST_F(Credited, TheTeachersGradientIsThatOfK3) {
  Qwen3 student = untaught(32);
  const auto context = world_.context_with_text();
  RolloutGroup group{slates_.train[0], {}, {}, {}};
  group.rollouts = engine_over(*student).decode(
      context, {&group.slate, 1}, {.with_trace = false, .temperature = 1, .samples = 3}, 1);
  std::vector<Example> examples = {group_example(context, group, false, 8)};
  GradientWorkers workers(student, frozen_of(context, student->spec.vocab), 1);
  const auto divergence = [&](float ahead) {
    for (ScoredToken& scored : examples[0].scored) {
      scored.teacher_logprob = scored.old_logprob + ahead;
    }
    return surrogate_backward(workers, examples, {}, 0.5);
  };
  const auto tokens = double(examples[0].scored.size());
  EXPECT_NEAR(divergence(0).statistics[kTeacher], 0, 1e-3);
  EXPECT_NEAR(divergence(1).statistics[kTeacher] / tokens, std::exp(1.0) - 2, 1e-2);
  EXPECT_NEAR(divergence(1).loss, 0.5 * (std::exp(1.0) - 2), 1e-2) << "no advantages: k3 is all";
}

}  // namespace
}  // namespace podium::train
