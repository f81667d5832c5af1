#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <set>
#include <stdexcept>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/finite.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/train/checkpoint.h"
#include "podium/train/hstu.h"
#include "podium/train/sasrec.h"
#include "podium/train/sequence_eval.h"
#include "podium/train/sequence_train.h"
#include "podium/train/test_ring.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

SequenceOptions small_options() {
  SequenceOptions o;
  o.dim = 16, o.heads = 2, o.max_len = 8, o.negatives = 16, o.batch_tokens = 64, o.epochs = 3;
  o.dropout = 0.1, o.learning_rate = 1e-2;
  return o;
}

std::vector<float> all_weights(const torch::nn::Module& model) {
  std::vector<float> values;
  for (const auto& p : model.parameters()) {
    const auto flat = p.detach().contiguous().view(-1);
    values.insert(values.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  }
  return values;
}

TEST(SampledSoftmax, MatchesAHandComputedCase) {
  const auto hidden = torch::tensor({1.0f, 0.0f}).view({1, 2});
  const auto positive = torch::tensor({0.5f, 9.0f}).view({1, 2});               // score 0.5
  const auto negative = torch::tensor({2.0f, 1.0f, -1.0f, 3.0f}).view({2, 2});  // scores 2, -1
  const auto log_nq = torch::tensor({1.0f, -0.5f});
  const auto none = torch::zeros({1, 2}, torch::kBool);
  // corrected: 2 - 1 = 1, -1 + 0.5 = -0.5
  const double expected = std::log(std::exp(0.5) + std::exp(1.0) + std::exp(-0.5)) - 0.5;
  EXPECT_NEAR(sampled_softmax_loss(hidden, positive, negative, log_nq, none).item<double>(),
              expected, 1e-6);
  const auto first = torch::tensor({true, false}).view({1, 2});
  EXPECT_NEAR(sampled_softmax_loss(hidden, positive, negative, log_nq, first).item<double>(),
              std::log(std::exp(0.5) + std::exp(-0.5)) - 0.5, 1e-6);
}

TEST(SampledSoftmax, LogQMakesThePartitionUnbiased) {
  const auto dataset = ring_dataset(scratch_dir("logq"), 7, 11, 9);
  const auto view = whole(dataset, 0);
  const NegativeSampler sampler(view, 0.5);
  double truth = 0, total_q = 0;
  for (size_t i = 0; i < dataset.items(); ++i) {
    truth += std::exp(0.1 * double(i));
    total_q += std::exp(sampler.log_q(int64_t(i)));
  }
  EXPECT_NEAR(total_q, 1, 1e-9);
  // Negatives as the trainer draws them, corrected as it corrects them: exp(loss) of a target of
  // score 0 is 1 + the estimate.
  constexpr int64_t kDraws = 200000;
  const torch::Tensor negative = torch::tensor(sampler.draw(kDraws, 3, 0), torch::kLong);
  const torch::Tensor scores = negative.to(torch::kFloat).mul(0.1F).view({-1, 1});
  const auto estimate = [&](bool logq) {
    const torch::Tensor loss = sampled_softmax_loss(
        torch::ones({1, 1}), torch::zeros({1, 1}), scores,
        log_counts(negative, kDraws, sampler, logq), torch::zeros({1, kDraws}, torch::kBool));
    return std::exp(loss.item<double>()) - 1;
  };
  EXPECT_NEAR(estimate(true) / truth, 1, 0.01);
  EXPECT_GT(estimate(false) / truth, 100);  // without: a sum over the draws
  // Of a few draws by hand, in a matrix as the candidates of a batch stand.
  const torch::Tensor few = torch::tensor(std::vector<int64_t>{3, 0, 10, 3}, torch::kLong);
  const torch::Tensor counts = log_counts(few.view({2, 2}), 7, sampler, true);
  ASSERT_EQ(counts.sizes(), (std::vector<int64_t>{2, 2}));
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(counts.view(-1)[i].item<double>(),
                std::log(7.0) + sampler.log_q(few[i].item<int64_t>()), 1e-6);
  }
}

TEST(Windows, EveryEventButTheFirstIsATargetOnce) {
  const auto dataset = ring_dataset(scratch_dir("windows"), 9, 13, 30);
  const auto view = whole(dataset, 1);
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::set<std::pair<uint32_t, uint32_t>> targets;
    size_t count = 0;
    SequenceOptions options = small_options();
    for (const auto& batch : epoch_batches(view, options, 5, epoch)) {
      for (const Window& w : batch) {
        EXPECT_LE(w.end - w.begin - 1, uint32_t(options.max_len));
        for (uint32_t t = w.begin + 1; t < w.end; ++t, ++count) targets.insert({w.user, t});
      }
    }
    EXPECT_EQ(count, view.events() - dataset.users());
    EXPECT_EQ(targets.size(), count);
  }
}

TEST(Sasrec, LearnsARingAndLooksOnlyBack) {
  setup_torch(1, 1);
  const auto dataset = ring_dataset(scratch_dir("learn"), 60, 20, 12);
  const auto view = whole(dataset, 1);
  SequenceOptions options = small_options();
  options.epochs = 30;
  Sasrec model(int64_t(dataset.items()), options);
  fit_sequence_model(*model, view,
                     {.options = options,
                      .epochs = options.epochs,
                      .seed = 1,
                      .checkpoint = {},
                      .fingerprint = {}});
  std::vector<data::Target> targets;
  for (uint32_t u = 0; u < dataset.users(); ++u) targets.push_back({u, view.length[u]});
  EXPECT_GT(evaluate_sequence_model(*model, dataset, targets).recall5, 0.9);

  torch::NoGradGuard no_grad;
  model->eval();
  auto embedded = torch::randn({1, 6, options.dim});
  const auto padding = torch::zeros({1, 6}, torch::kBool);
  const auto before = model->forward(embedded, padding);
  embedded.select(1, 5).add_(1.0);
  const auto after = model->forward(embedded, padding);
  EXPECT_TRUE(torch::equal(before.slice(1, 0, 5), after.slice(1, 0, 5)));
  EXPECT_FALSE(torch::equal(before.select(1, 5), after.select(1, 5)));
}

TEST(Hstu, LearnsARingByBothScores) {
  setup_torch(1, 1);
  const auto dataset = ring_dataset(scratch_dir("learn_hstu"), 60, 20, 12);
  const auto view = whole(dataset, 1);
  HstuOptions options;
  static_cast<SequenceOptions&>(options) = small_options();
  options.blocks = 2, options.epochs = 30, options.rank_weight = 0.5, options.rank_negatives = 4;
  Hstu model(int64_t(dataset.items()), options);
  fit_sequence_model(*model, view,
                     {.options = options,
                      .epochs = options.epochs,
                      .seed = 1,
                      .checkpoint = {},
                      .fingerprint = {}});
  std::vector<data::Target> targets;
  for (uint32_t u = 0; u < dataset.users(); ++u) targets.push_back({u, view.length[u]});
  EXPECT_GT(evaluate_sequence_model(*model, dataset, targets).recall5, 0.9);
  const fs::path file = scratch_dir("learnt_hstu") / "hstu.safetensors";
  export_hstu(file, *model);
  EXPECT_GT(evaluate_hstu_ranking(sequence::Hstu(file), dataset, targets).recall5, 0.9);
  // Without the head the two scores are one.
  torch::NoGradGuard no_grad;
  model->rank_head.zero_();
  export_hstu(file, *model);
  EXPECT_NEAR(evaluate_hstu_ranking(sequence::Hstu(file), dataset, targets).ndcg10,
              evaluate_sequence_model(*model, dataset, targets).ndcg10, 1e-9);
}

TEST(Sasrec, PaddingChangesNothing) {
  setup_torch(1, 1);
  torch::NoGradGuard no_grad;
  Sasrec model(5, small_options());
  model->eval();
  const auto embedded = torch::randn({1, 3, 16});
  const auto padded = torch::cat({torch::randn({1, 4, 16}), embedded}, 1);
  const auto padding = torch::tensor({true, true, true, true, false, false, false}).view({1, 7});
  const auto a = model->forward(embedded, torch::zeros({1, 3}, torch::kBool));
  const auto b = model->forward(padded, padding).slice(1, 4);
  EXPECT_TRUE(torch::allclose(a, b, 1e-5, 1e-6));
}

// Kills a fit at two random steps; what follows must be the bits of an undisturbed one.
template <class Model, class Options>
void expect_resumption(const std::string& name, const Options& options) {
  const auto dataset = ring_dataset(scratch_dir(name + "_data"), 40, 20, 15);
  const auto view = whole(dataset, 1);
  uint64_t polls = 0;
  const auto fit = [&](const fs::path& file, uint64_t killed_at) {
    setup_torch(1, 7);
    Model model(int64_t(dataset.items()), options);
    SequenceFit settings{.options = options,
                         .epochs = options.epochs,
                         .seed = 7,
                         .checkpoint = file,
                         .fingerprint = "f"};
    settings.checkpoint_seconds = 0;  // at every step
    polls = 0;
    settings.stop = [&] {
      if (++polls == killed_at) throw std::runtime_error("killed");
      return false;
    };
    fit_sequence_model(*model, view, settings);
    return all_weights(*model);
  };
  const fs::path dir = scratch_dir(name);
  const auto undisturbed = fit(dir / "a", 0);
  const uint64_t steps = polls;
  ASSERT_GT(steps, 20U);
  std::random_device chance;
  const uint64_t first = 2 + chance() % (steps - 2);
  EXPECT_THROW(fit(dir / "b", first), std::runtime_error);
  torch::randn({100});  // another process would not have this generator's state
  const uint64_t left = steps - (first - 2);  // the step before the kill is done again
  const uint64_t second = 1 + chance() % left;
  SCOPED_TRACE(fmt::format("{} killed at step {}, then after {} more", name, first, second));
  EXPECT_THROW(fit(dir / "b", second), std::runtime_error);
  const auto resumed = fit(dir / "b", 0);
  ASSERT_EQ(undisturbed.size(), resumed.size());
  EXPECT_EQ(std::memcmp(undisturbed.data(), resumed.data(), resumed.size() * sizeof(float)), 0);
}

TEST(Checkpoint, AKilledRunEndsWithTheSameWeights) {
  expect_resumption<Sasrec>("resume_sasrec", small_options());
  HstuOptions hstu;
  static_cast<SequenceOptions&>(hstu) = small_options();
  hstu.blocks = 2, hstu.rank_weight = 0.5, hstu.rank_negatives = 4;
  expect_resumption<Hstu>("resume_hstu", hstu);
}

template <class Model, class Options>
void expect_divergence_told(Options options, const std::string& name) {
  setup_torch(1, 7);
  const auto dataset = ring_dataset(scratch_dir("diverge_data"), 40, 20, 15);
  const auto view = whole(dataset, 1);
  options.learning_rate = 1e30;
  Model model(int64_t(dataset.items()), options);
  SequenceFit settings{.options = options,
                       .epochs = options.epochs,
                       .seed = 7,
                       .checkpoint = scratch_dir("diverge_" + name) / "c",
                       .fingerprint = "f"};
  settings.checkpoint_seconds = 0;
  settings.rate_option = name + ".learning_rate";
  int epochs = 0;
  settings.after_epoch = [&](int, double) { ++epochs; };
  try {
    fit_sequence_model(*model, view, settings);
    FAIL() << name;
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("not finite at step "), std::string::npos) << error.what();
    EXPECT_EQ(error.cure(), "lower " + name + ".learning_rate");
  }
  EXPECT_EQ(epochs, 0);  // nothing is logged
  const artifact::SafetensorsFile kept(settings.checkpoint);
  for (const auto& [tensor, view_of] : kept.tensors()) {
    if (tensor.starts_with("param/")) {
      EXPECT_TRUE(all_finite(kept.get<float>(tensor))) << tensor;
    }
  }
}

TEST(SequenceTraining, DivergenceEndsIt) {
  expect_divergence_told<Sasrec>(small_options(), "sasrec");
  HstuOptions hstu;
  static_cast<SequenceOptions&>(hstu) = small_options();
  expect_divergence_told<Hstu>(hstu, "hstu");
}

TEST(Checkpoint, OtherOptionsStartAfreshAndDamageIsAnError) {
  setup_torch(1, 1);
  const fs::path file = scratch_dir("foreign") / "c.safetensors";
  Sasrec model(5, small_options());
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
  Checkpointer({file, "one", 0}).save(*model, adam, Json{{"step", 4}});
  EXPECT_EQ((*Checkpointer({file, "one", 0}).restore(*model, adam))["step"], 4);
  EXPECT_FALSE(Checkpointer({file, "two", 0}).restore(*model, adam).has_value());
  const std::string bytes = read_file(file);
  write_file_atomic(file, bytes.substr(0, bytes.size() / 2));
  EXPECT_THROW(Checkpointer({file, "one", 0}).restore(*model, adam), Error);
}

TEST(Checkpoint, AdamWMomentsReturn) {
  setup_torch(1, 1);
  const fs::path file = scratch_dir("adamw") / "c.safetensors";
  const auto step = [](torch::nn::Linear& net, torch::optim::AdamW& adam) {
    adam.zero_grad();
    net(torch::randn({4, 3})).pow(2).sum().backward();
    adam.step();
  };
  torch::nn::Linear net(3, 2);
  torch::optim::AdamW adam(net->parameters(), torch::optim::AdamWOptions(0.1));
  step(net, adam);
  Checkpointer({file, "w", 0}).save(*net, adam, Json::object());
  step(net, adam);
  torch::nn::Linear other(3, 2);
  torch::optim::AdamW fresh(other->parameters(), torch::optim::AdamWOptions(0.1));
  ASSERT_TRUE(Checkpointer({file, "w", 0}).restore(*other, fresh).has_value());
  step(other, fresh);
  EXPECT_TRUE(torch::equal(net->weight, other->weight));
}

TEST(Export, HasTheNamesTheServerReads) {
  setup_torch(1, 1);
  const fs::path file = scratch_dir("export") / "sasrec.safetensors";
  const Sasrec model(5, small_options());
  export_sasrec(file, *model);
  const artifact::SafetensorsFile opened(file);
  EXPECT_EQ(opened.metadata().at("heads"), "2");
  EXPECT_EQ(opened.tensor("item_embedding").shape, (std::vector<int64_t>{5, 16}));
  EXPECT_EQ(opened.tensor("position_embedding").shape, (std::vector<int64_t>{8, 16}));
  EXPECT_EQ(opened.tensor("blocks.0.ffn.up.weight").shape, (std::vector<int64_t>{64, 16}));
  for (const char* name : {"norm1.weight", "attention.q.bias", "attention.o.weight", "norm2.bias",
                           "ffn.down.weight"}) {
    EXPECT_TRUE(opened.has(std::string("blocks.0.") + name)) << name;
  }
  EXPECT_TRUE(opened.has("norm.weight"));
}

}  // namespace
}  // namespace podium::train
