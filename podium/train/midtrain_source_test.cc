#include "podium/train/midtrain_source.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "podium/data/dataset_builder.h"
#include "podium/rerank/test_world.h"
#include "podium/train/midtrain.h"
#include "podium/train/test_job.h"

namespace podium::train {
namespace {

// One user, one item of each category in turn.
class MidtrainSourceTest : public testing::Test {
 protected:
  MidtrainSourceTest() : view_{&world_.dataset(), {20}} {}

  MidtrainOptions options(const std::string& codes_over = "trie") const {
    MidtrainOptions options;
    options.window = 5;
    options.codes_over = codes_over;
    options.batch_tokens = 400;
    return options;
  }
  bool is_code(TokenId token) const {
    const auto& v = world_.vocabulary();
    return token >= v.first_code && token < v.first_code + v.levels * v.codes;
  }
  Qwen3 model() const {
    Qwen3 model(small_spec(world_), 3);
    const torch::NoGradGuard no_grad;
    for (auto& weight : model->weights) weight.mul_(3);  // far from uniform
    return model;
  }

  const rerank::TestWorld world_;
  const rerank::PromptContext context_ = world_.context();
  const data::View view_;
};

// What training calls the probability of an item is what the search calls it.
TEST_F(MidtrainSourceTest, TrainingAndBeamSearchSeeOneDistribution) {
  const sid::SidTrie trie(context_.sids);
  const Qwen3 policy = model();
  const std::vector<data::ItemIndex> history = {3, 8, 1};
  const std::span<const data::ItemIndex> shown(history);
  const auto found = engine_over(*policy).retrieve(context_, trie, {&shown, 1}, {.beam = 64}, 1);
  ASSERT_EQ(found[0].size(), size_t(rerank::TestWorld::kItems) - history.size());
  double sum = 0;
  for (const runtime::Retrieved& item : found[0]) {
    std::vector<data::ItemIndex> longer = history;
    longer.push_back(item.item);
    Example example = document_example(rerank::build_sequence(context_, longer));
    score_codes_over(trie, context_.vocabulary, example);
    const int64_t before = example.tokens() - context_.vocabulary.levels;
    const torch::NoGradGuard no_grad;
    const torch::Tensor logprob =
        log_probs(policy->spec, policy->weights, example, frozen_of(context_, policy->spec.vocab));
    double own = 0;
    for (size_t i = 0; i < example.scored.size(); ++i) {
      if (example.scored[i].row >= before) own += logprob[int64_t(i)].item<double>();
    }
    EXPECT_NEAR(own, item.logprob, 2e-4) << item.item;
    sum += std::exp(own);
  }
  EXPECT_LT(sum, 1);  // the history's items have the rest
  EXPECT_GT(sum, 0.5);
}

TEST_F(MidtrainSourceTest, CodesAreScoredOverWhatTheTrieAllowsAndForcedOnesNot) {
  const sid::SidTrie trie(context_.sids);
  const MidtrainSource masked(context_, view_, options(), 5);
  size_t codes = 0, words = 0;
  for (const Example& example : masked.batch(0)) {
    for (const ScoredToken& scored : example.scored) {
      const bool code = is_code(scored.target);
      EXPECT_EQ(scored.over, code ? Over::kCodes : Over::kVocabulary);
      (code ? codes : words)++;
      if (!code) continue;
      EXPECT_GT(scored.allowed.size(), 1u);  // no level of the shop uses all its codes
      EXPECT_TRUE(std::ranges::count(scored.allowed, scored.target) == 1);
    }
  }
  EXPECT_GT(codes, 0u);
  EXPECT_GT(words, 0u);
  const MidtrainSource open(context_, view_, options("vocabulary"), 5);
  for (const Example& example : open.batch(0)) {
    EXPECT_EQ(example.scored.size(), size_t(example.tokens()));
    for (const ScoredToken& scored : example.scored) EXPECT_EQ(scored.over, Over::kVocabulary);
  }
}

// In a large catalogue all codes of a level follow one prefix, and some another.
TEST_F(MidtrainSourceTest, AWholeLevelIsScoredBesideAListOfIt) {
  const Qwen3 policy = model();
  const MidtrainSource masked(context_, view_, options(), 5);
  const Frozen frozen = frozen_of(context_, policy->spec.vocab);
  const auto logprobs = [&](const Example& example, std::vector<ScoredToken> scored) {
    const torch::NoGradGuard no_grad;
    Example own = example;
    own.scored = std::move(scored);
    const torch::Tensor all = log_probs(policy->spec, policy->weights, own, frozen);
    return std::vector<float>(all.data_ptr<float>(), all.data_ptr<float>() + all.numel());
  };
  size_t tried = 0;
  for (const Example& example : masked.batch(0)) {
    const auto code = std::ranges::find(example.scored, Over::kCodes, &ScoredToken::over);
    if (code == example.scored.end()) continue;
    const ScoredToken listed = *code;
    ScoredToken whole = listed;
    whole.allowed.clear();
    const float one = logprobs(example, {listed}).front(), all = logprobs(example, {whole}).front();
    EXPECT_GT(one, all);  // fewer share what there is
    const auto both = logprobs(example, {listed, whole}),
               turned = logprobs(example, {whole, listed});
    EXPECT_NEAR(both[0], one, 1e-5);
    EXPECT_NEAR(both[1], all, 1e-5);
    EXPECT_NEAR(turned[0], all, 1e-5);
    EXPECT_NEAR(turned[1], one, 1e-5);
    ++tried;
  }
  EXPECT_GT(tried, 0u);
}

// Of a user of twenty events in windows of five.
TEST_F(MidtrainSourceTest, EveryEventIsPredictedAsOftenAsAnother) {
  const MidtrainSource source(context_, view_, options(), 5);
  const auto begin = rerank::build_sequence(context_, {}).size();
  const auto levels = size_t(context_.vocabulary.levels);
  std::map<std::vector<TokenId>, int> targets;
  Rng rng(2);
  constexpr int kDraws = 9600;  // of 22 windows
  for (int i = 0; i < kDraws; ++i) {
    const auto tokens = source.sequence(rng);
    EXPECT_LE(tokens.size(), begin + 5 * levels);
    for (size_t at = begin + levels; at < tokens.size(); at += levels) {
      ++targets[{tokens.begin() + ptrdiff_t(at), tokens.begin() + ptrdiff_t(at + levels)}];
    }
  }
  EXPECT_EQ(targets.size(), 19u);
  for (const auto& [sid, count] : targets) EXPECT_NEAR(count, kDraws * 4 / 22.0, 200);
}

TEST_F(MidtrainSourceTest, SharesSayHowMuchOfEachTaskThereIs) {
  MidtrainOptions only = options();
  only.sequence_share = only.caption_share = 0;
  only.persona_share = 1;
  const auto end = world_.tokenizer().added("<|endoftext|>");
  for (const Example& example : MidtrainSource(context_, view_, only, 5).batch(1)) {
    EXPECT_EQ(example.scored.back().target, end);
  }
  only.sequence_share = 1;
  only.persona_share = 0;
  for (const Example& example : MidtrainSource(context_, view_, only, 5).batch(1)) {
    for (const ScoredToken& scored : example.scored) EXPECT_NE(scored.target, end);
  }
}

TEST_F(MidtrainSourceTest, PersonasTellWhatIsLikedNotWhatIsDisliked) {
  data::DatasetBuilder builder;
  for (int i = 0; i < 4; ++i) {
    builder.add_item({.id = std::to_string(i),
                      .title = "t",
                      .brand = i == 0 ? "Acme" : "",
                      .description = "",
                      .categories = {i < 2    ? "Drama"
                                     : i == 2 ? "Comedy"
                                              : "Horror"},
                      .price = 1.0F});
  }
  const float ratings[] = {5, 4, 4, 1};
  for (int i = 0; i < 4; ++i) builder.add_event({"u", std::to_string(i), i, ratings[i]});
  builder.add_event({"v", "3", 0, 1});
  const fs::path dir = scratch_dir("persona");
  builder.write(dir, "persona", 0, Json::object());
  const auto dataset = data::Dataset::open(dir);
  const auto user = dataset.find_user("u").value(), other = dataset.find_user("v").value();
  data::View view{&dataset, std::vector<uint32_t>(2)};
  view.length[user] = 4;
  view.length[other] = 1;
  EXPECT_EQ(persona_text(view, user), "likes Drama, Comedy; Acme");
  EXPECT_EQ(persona_text(view, other), "likes Horror");
  view.length[user] = 0;  // what lies outside the view is not told
  EXPECT_EQ(persona_text(view, user), "");
}

}  // namespace
}  // namespace podium::train
