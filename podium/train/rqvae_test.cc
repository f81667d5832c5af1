#include "podium/train/rqvae.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <stdexcept>

#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/sid/place.h"
#include "podium/train/rqvae_train.h"
#include "podium/train/test_job.h"
#include "podium/train/test_ring.h"
#include "podium/train/torch_ops.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

using torch::Tensor;

constexpr int kDim = 12;

RqVaeOptions small_rqvae() {
  RqVaeOptions options;
  options.latent = 6, options.hidden = 16, options.epochs = 10, options.batch = 32;
  options.contrastive = 0;
  return options;
}

std::vector<float> normal_vectors(size_t items) {
  Rng rng(3);
  std::vector<float> vectors;
  for (size_t i = 0; i < items * kDim; ++i) vectors.push_back(float(rng.normal()));
  return vectors;
}

// Vectors of a ring's items, and who follows whom.
class RingShop {
 public:
  explicit RingShop(int items)
      : dataset(ring_dataset(scratch_dir("rqvae"), 3 * items, items, 12)),
        view(whole(dataset, 0)),
        vectors(normal_vectors(dataset.items())) {
    setup_torch(1, 1);
  }
  sid::SidModel fit(const RqVaeOptions& options, const sid::SidOptions& sid,
                    const StageJob& job) const {
    return fit_rqvae({vectors, kDim, view, sid, options}, job);
  }

  data::Dataset dataset;
  data::View view;
  std::vector<float> vectors;
};

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

TEST(RqVae, TheServedEncoderIsTheTrainedOne) {
  RqVae model(RqVaeShape{kDim, 2, 8}, small_rqvae(), 7);
  std::vector<float> rows = normal_vectors(50);
  for (float& x : rows) x = 3 * x + 1;  // so that mean and scale count
  const Tensor vectors = torch::from_blob(rows.data(), {50, kDim});
  model->standardise(vectors);
  EXPECT_NEAR(model->standardised(vectors).square().mean().item<double>(), 1, 1e-5);
  const Tensor expected = model->encode(model->standardised(vectors)).contiguous();
  sid::SidModel saved;
  saved.encoder = model->served_encoder();
  saved.dim = model->options.latent;
  saved.table = {2, 8, {1, 2, 3, 4}};
  saved.centroids.resize(size_t(2 * 8 * saved.dim));
  const fs::path dir = scratch_dir("served_encoder");
  sid::save_sid(dir, saved);
  const sid::SidModel served = sid::load_sid(dir);
  EXPECT_EQ(served.vector_dim(), size_t(kDim));
  const std::vector<float> found = served.encoder.apply(rows, 2);
  ASSERT_EQ(found.size(), size_t(expected.numel()));
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected.data_ptr<float>()[i], 1e-5);
  }
}

TEST(RqVae, GradientsPassStraightThroughAndPullCodesAndResidualsTogether) {
  RqVaeOptions options = small_rqvae();
  options.ema = false;
  RqVae model(RqVaeShape{kDim, 1, 8}, options, 7);
  Tensor z = torch::randn({20, options.latent}).requires_grad_();
  Quantised out = model->quantise(z);
  const Tensor chosen = model->codebooks[0].index_select(0, out.codes[0]).detach();
  EXPECT_TRUE(torch::allclose(out.latent, chosen, 1e-5, 1e-6));
  const Tensor weight = torch::randn_like(z);
  (out.latent * weight).sum().backward();
  EXPECT_TRUE(torch::equal(z.grad(), weight));
  EXPECT_FALSE(model->codebooks.grad().defined());

  z.mutable_grad().reset();
  out.commitment.backward();
  const Tensor pull = 2 * (z.detach() - chosen) / double(z.numel());
  EXPECT_TRUE(torch::allclose(z.grad(), pull, 1e-4, 1e-7));
  z.mutable_grad().reset();
  out.codebook.backward();
  EXPECT_FALSE(z.grad().defined());
  const Tensor summed =
      torch::zeros_like(model->codebooks[0]).index_add(0, out.codes[0], -pull).detach();
  EXPECT_TRUE(torch::allclose(model->codebooks.grad()[0], summed, 1e-4, 1e-7));
}

TEST(RqVae, MovingAveragesFollowTheResidualsOfTheirCode) {
  RqVaeOptions options = small_rqvae();
  options.ema_decay = 0.9;
  RqVae model(RqVaeShape{kDim, 1, 4}, options, 7);
  const Tensor before = model->codebooks[0].clone();
  const Tensor z = before[2].repeat({10, 1}) + 0.01;  // ten rows beside code 2
  const Quantised out = model->quantise(z);
  ASSERT_TRUE(out.codes.eq(2).all().item<bool>());
  for (int step = 0; step < 200; ++step) model->follow(out);
  EXPECT_TRUE(torch::allclose(model->codebooks[0][2], z[0], 1e-3, 1e-4));
  for (const int64_t code : {0, 1, 3}) {  // nothing draws them
    EXPECT_TRUE(torch::allclose(model->codebooks[0][code], before[code], 1e-4, 1e-5));
  }
  RqVae once(RqVaeShape{kDim, 1, 4}, options, 7);
  once->follow(out);
  const Tensor expected = (0.9 * before[2] + 0.1 * 10 * z[0]) / (0.9 + 0.1 * 10);
  EXPECT_TRUE(torch::allclose(once->codebooks[0][2], expected, 1e-3, 1e-4));
}

TEST(RqVae, DeadCodesMoveToResidualsAndUsedOnesStay) {
  RqVae model(RqVaeShape{kDim, 1, 4}, small_rqvae(), 7);
  model->codebooks[0][1].fill_(1e3);  // where no row comes near
  model->codebooks[0][3].fill_(-1e3);
  const Tensor before = model->codebooks.clone();
  const Tensor z = torch::cat({before[0][0].repeat({5, 1}), before[0][2].repeat({5, 1})});
  const Quantised out = model->quantise(z);
  model->note_use(out);
  EXPECT_EQ(model->reset_dead(out, Rng(1)), 2);
  for (const int64_t code : {0, 2}) {
    EXPECT_TRUE(torch::equal(model->codebooks[0][code], before[0][code]));
  }
  for (const int64_t code : {1, 3}) {
    EXPECT_TRUE(z.eq(model->codebooks[0][code]).all(1).any().item<bool>());
  }
  EXPECT_EQ(model->reset_dead(out, Rng(1)), 4) << "counts again";
}

TEST(RqVae, DiversityLossIsNoneForEvenUseAlone) {
  RqVaeOptions options = small_rqvae();
  options.latent = 4;
  options.diversity = 1;
  RqVae model(RqVaeShape{kDim, 1, 4}, options, 7);
  const std::vector<float> corners = {9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 9};
  model->set_codebook(0, corners);
  const auto loss = [&](const Tensor& z) { return model->quantise(z).diversity.item<double>(); };
  const double even = loss(model->codebooks[0].clone());
  const double uneven = loss(model->codebooks[0][1].repeat({4, 1}));
  EXPECT_NEAR(even, 0, 1e-5);
  EXPECT_GT(uneven, even + 0.02);
  Tensor z = model->codebooks[0][1].repeat({4, 1}).requires_grad_();
  model->quantise(z).diversity.backward();
  EXPECT_GT(z.grad().abs().sum().item<double>(), 0);
}

TEST(RqVae, ContrastiveLossMatchesAHandComputedCase) {
  const Tensor a = torch::tensor({1.0F, 0.0F, 0.0F, 2.0F}).view({2, 2});
  const Tensor b = torch::tensor({3.0F, 0.0F, 1.0F, 1.0F}).view({2, 2});
  const Tensor items = longs({4, 5});
  const double root = std::sqrt(0.5);  // cosines: 1, root; 0, root
  const double first = std::log(std::exp(2.0) + std::exp(2 * root)) - 2;
  const double second = std::log(1 + std::exp(2 * root)) - 2 * root;
  EXPECT_NEAR(contrastive_loss(a, b, items, 0.5).item<double>(), (first + second) / 2, 1e-5);
  const Tensor same = longs({4, 4});
  EXPECT_NEAR(contrastive_loss(a, b, same, 0.5).item<double>(), 0, 1e-5) << "no negative is left";
}

TEST(RqVaeFit, MovingAveragesKeepMoreCodesInUse) {
  const RingShop shop(400);
  RqVaeOptions options = small_rqvae();
  options.epochs = 30;
  const sid::SidOptions sid{.codes = 64, .random_last_level = false};
  const auto with = shop.fit(options, sid, fresh_job("with_ema"));
  options.ema = false;
  const auto without = shop.fit(options, sid, fresh_job("without_ema"));
  EXPECT_GT(mean_of(with.usage), 0.9);
  EXPECT_GT(mean_of(with.perplexity), mean_of(without.perplexity));
}

TEST(RqVaeFit, ADrawnLastLevelTellsItemsOfOneVectorApart) {
  RingShop shop(60);
  for (size_t i = 0; i < shop.vectors.size(); ++i) {  // six kinds of items, ten of each
    shop.vectors[i] = shop.vectors[i % (6 * kDim)];
  }
  const auto drawn = shop.fit(small_rqvae(), {.codes = 16}, fresh_job("drawn"));
  EXPECT_GE(drawn.table.uniqueness(), 0.99);
  const auto fitted =
      shop.fit(small_rqvae(), {.codes = 16, .random_last_level = false}, fresh_job("fitted"));
  EXPECT_LT(fitted.table.uniqueness(), 0.2);
  RqVaeOptions even = small_rqvae();
  even.sinkhorn = true;
  const auto shared =
      shop.fit(even, {.codes = 16, .random_last_level = false}, fresh_job("shared"));
  EXPECT_GE(shared.table.uniqueness(), 0.99);
}

// Mean length of the prefix that neighbours in histories share.
double shared_prefix(const data::View& view, const sid::SidTable& table) {
  double sum = 0, pairs = 0;
  for (data::UserIndex user = 0; user < view.length.size(); ++user) {
    const auto items = view.items_of(user);
    for (size_t i = 1; i < items.size(); ++i, ++pairs) {
      const auto a = table.of(items[i - 1]), b = table.of(items[i]);
      sum += double(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
    }
  }
  return sum / pairs;
}

TEST(RqVaeFit, ContrastiveLossDrawsItemsOfOneHistoryTogether) {
  const RingShop shop(64);
  RqVaeOptions options = small_rqvae();
  options.epochs = 150;
  options.hidden = 64;
  options.learning_rate = 5e-3;
  const auto apart = shop.fit(options, {.codes = 16}, fresh_job("apart"));
  options.contrastive = 1;
  const auto together = shop.fit(options, {.codes = 16}, fresh_job("together"));
  const double before = shared_prefix(shop.view, apart.table);
  EXPECT_GT(shared_prefix(shop.view, together.table), before + 0.2) << before;
}

TEST(RqVaeFit, NewItemsArePlacedAsTheCatalogueWas) {
  const RingShop shop(60);
  const auto model = shop.fit(small_rqvae(), {.codes = 16}, fresh_job("place"));
  for (uint32_t i = 0; i < model.table.items(); ++i) {
    const auto placed = sid::place(model, std::span(shop.vectors).subspan(i * kDim, kDim),
                                   sid::TakenSids(model.table));
    EXPECT_TRUE(std::equal(placed.begin(), placed.end() - 1, model.table.of(i).begin())) << i;
  }
}

TEST(RqVaeFit, ThreadsDoNotMatterAndSeedsDo) {
  const RingShop shop(60);
  StageJob one = fresh_job("one_thread"), three = fresh_job("three_threads");
  one.threads = 1, three.threads = 3;
  const auto a = shop.fit(small_rqvae(), {.codes = 16}, one);
  const auto b = shop.fit(small_rqvae(), {.codes = 16}, three);
  EXPECT_EQ(a.table.codes, b.table.codes);
  EXPECT_EQ(a.centroids, b.centroids);
  StageJob other = fresh_job("other_seed");
  other.seed = 6;
  EXPECT_NE(shop.fit(small_rqvae(), {.codes = 16}, other).centroids, a.centroids);
}

// Killed at a random step and called again: the same bits as in one go.
void expect_resumed_fit(const RingShop& shop, const RqVaeOptions& options) {
  const StageJob undisturbed = fresh_job("resume_rqvae_whole");
  const sid::SidModel expected = shop.fit(options, {.codes = 16}, undisturbed);
  const uint64_t steps = uint64_t(options.epochs) * (shop.dataset.items() / size_t(options.batch));
  const uint64_t poll = 2 + std::random_device()() % (steps - 1);
  SCOPED_TRACE("killed before step " + std::to_string(poll));
  StageJob job = fresh_job("resume_rqvae_cut", 0);
  job.stop = killed_at(poll);
  EXPECT_THROW(shop.fit(options, {.codes = 16}, job), std::runtime_error);
  job.stop = [] { return false; };
  const sid::SidModel again = shop.fit(options, {.codes = 16}, job);
  EXPECT_EQ(again.table.codes, expected.table.codes);
  EXPECT_EQ(again.centroids, expected.centroids);
  ASSERT_EQ(again.encoder.layers.size(), expected.encoder.layers.size());
  for (size_t i = 0; i < again.encoder.layers.size(); ++i) {
    EXPECT_EQ(again.encoder.layers[i].weight, expected.encoder.layers[i].weight);
    EXPECT_EQ(again.encoder.layers[i].bias, expected.encoder.layers[i].bias);
  }
  EXPECT_EQ(read_file(job.work / "metrics.done.jsonl"),
            read_file(undisturbed.work / "metrics.done.jsonl"));
}

TEST(RqVaeFit, ResumesBitExactlyWhereverItWasKilled) {
  const RingShop shop(100);
  RqVaeOptions options = small_rqvae();
  options.epochs = 4;
  options.contrastive = options.diversity = 0.1;
  options.reset_dead = true;
  expect_resumed_fit(shop, options);
  options.ema = false;
  expect_resumed_fit(shop, options);
}

}  // namespace
}  // namespace podium::train
