// Items as their text: projected vectors beside the learnt ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/sequence/sasrec.h"
#include "podium/train/sasrec.h"
#include "podium/train/sequence_train.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

constexpr int64_t kRing = 12;

// Users walk round a ring of kRing items; as many more, its twins, are in the catalogue, and nobody
// has met one.
data::Dataset ring_and_twins(const fs::path& dir) {
  data::DatasetBuilder builder;
  for (int u = 0; u < 60; ++u) {
    for (int t = 0; t < 12; ++t) {
      builder.add_event(
          {"u" + std::to_string(u), "i" + std::to_string((u * 7 + t) % kRing), int64_t(t), 1.0F});
    }
  }
  for (int64_t i = 0; i < kRing; ++i) {
    builder.add_item({.id = "twin" + std::to_string(i), .title = "Nobody met it"});
  }
  builder.write(dir, "ring", 0, Json::object());
  return data::Dataset::open(dir);
}

// [items, kRing]: 1 at the item's place in the ring; a twin has its twin's text.
std::vector<float> texts(const data::Dataset& dataset) {
  std::vector<float> vectors(dataset.items() * kRing);
  for (int64_t i = 0; i < kRing; ++i) {
    for (const char* name : {"i", "twin"}) {
      vectors[*dataset.find_item(name + std::to_string(i)) * kRing + size_t(i)] = 1;
    }
  }
  return vectors;
}

SequenceOptions text_options() {
  SequenceOptions o;
  o.dim = 16, o.heads = 2, o.max_len = 8, o.negatives = 16, o.batch_tokens = 64, o.epochs = 30;
  o.dropout = 0.1, o.learning_rate = 1e-2, o.id_dropout = 0.3;
  return o;
}

// Of the twins, the share of the ring's places where the best after items p, p + 1, p + 2 is that
// of p + 3.
double twins_found(const sequence::Sasrec& model, const data::Dataset& dataset) {
  const auto item = [&](const char* name, int64_t i) {
    return *dataset.find_item(name + std::to_string(i % kRing));
  };
  int found = 0;
  for (int64_t p = 0; p < kRing; ++p) {
    const auto user =
        model.user_vector(std::vector<uint32_t>{item("i", p), item("i", p + 1), item("i", p + 2)});
    const auto score = [&](int64_t i) {
      const float* vector = &model.item_vectors()[item("twin", i) * model.dim()];
      return std::inner_product(user.begin(), user.end(), vector, 0.0F);
    };
    int64_t best = 0;
    for (int64_t i = 1; i < kRing; ++i) best = score(i) > score(best) ? i : best;
    found += best == (p + 3) % kRing;
  }
  return double(found) / double(kRing);
}

double twins_found_by_a_fit(bool with_text) {
  setup_torch(1, 1);
  const auto dataset = ring_and_twins(scratch_dir("twins"));
  data::View view{&dataset, {}};
  for (uint32_t u = 0; u < dataset.users(); ++u) view.length.push_back(12);
  const SequenceOptions options = text_options();
  Sasrec model(int64_t(dataset.items()), options);
  if (with_text) model->add_text(texts(dataset), kRing);
  fit_sequence_model(*model, view,
                     {.options = options,
                      .epochs = options.epochs,
                      .seed = 1,
                      .checkpoint = {},
                      .fingerprint = {}});
  const fs::path file = scratch_dir("twins_out") / "sasrec.safetensors";
  export_sasrec(file, *model);
  return twins_found(sequence::Sasrec(file), dataset);
}

TEST(SequenceText, WhatNobodyMetIsFoundByItsText) {
  EXPECT_GE(twins_found_by_a_fit(true), 0.9);
  EXPECT_LE(twins_found_by_a_fit(false), 0.5);
}

TEST(SequenceText, WhatIsServedIsTheSumAndAFitGoesOnFromIt) {
  setup_torch(1, 1);
  const auto dataset = ring_and_twins(scratch_dir("sum"));
  const auto make = [&] {
    Sasrec model(int64_t(dataset.items()), text_options());
    model->add_text(texts(dataset), kRing);
    return model;
  };
  const torch::NoGradGuard no_grad;
  Sasrec model = make(), other = make();
  const torch::Tensor learnt = model->item_embedding.clone();
  const fs::path file = scratch_dir("sum_out") / "sasrec.safetensors";
  export_sasrec(file, *model);
  EXPECT_TRUE(torch::allclose(model->item_embedding, learnt, 0, 1e-6)) << "as it was";
  const sequence::Sasrec served(file);
  const torch::Tensor all = model->all_items();
  EXPECT_TRUE(std::ranges::equal(
      served.item_vectors(), std::span<const float>(all.data_ptr<float>(), size_t(all.numel()))));
  load_model(file, *other);
  EXPECT_TRUE(torch::allclose(other->item_embedding, learnt, 0, 1e-6));
  EXPECT_TRUE(torch::equal(other->text_projection, model->text_projection));
}

TEST(SequenceText, LearntVectorsAreLeftOutOnlyInTraining) {
  setup_torch(1, 1);
  const auto dataset = ring_and_twins(scratch_dir("left_out"));
  SequenceOptions options = text_options();
  options.id_dropout = 0.5;
  Sasrec model(int64_t(dataset.items()), options);
  model->add_text(texts(dataset), kRing);
  const torch::Tensor items = torch::zeros({4000}, torch::kLong);
  const torch::Tensor whole = model->all_items()[0];
  const auto share_of = [&](const torch::Tensor& vector) {
    return model->embed(items)
        .sub(vector)
        .abs()
        .amax(1)
        .lt(1e-5)
        .to(torch::kFloat)
        .mean()
        .item<double>();
  };
  model->train();
  EXPECT_NEAR(share_of(whole), 0.5, 0.05);
  EXPECT_NEAR(share_of(whole - model->item_embedding[0]), 0.5, 0.05);
  model->eval();
  EXPECT_EQ(share_of(whole), 1);
}

}  // namespace
}  // namespace podium::train
