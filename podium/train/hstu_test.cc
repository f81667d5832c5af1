#include "podium/train/hstu.h"

#include <gtest/gtest.h>

#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/sequence/hstu.h"
#include "podium/sequence/sasrec.h"
#include "podium/train/sasrec.h"
#include "podium/train/sequence_batch.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

using torch::Tensor;

HstuOptions shape() {
  HstuOptions o;
  o.dim = 32, o.heads = 2, o.blocks = 3, o.max_len = 20;
  return o;
}

template <class T>
Tensor row(const std::vector<T>& values) {
  return torch::tensor(std::vector<int64_t>(values.begin(), values.end()), torch::kLong)
      .view({1, -1});
}

// A user of n events, and all items as candidates behind them.
struct User {
  std::vector<uint32_t> items;
  std::vector<int64_t> times;
  int64_t now = 900000;
  User(int n, int64_t items_of_shop) {
    for (int t = 0; t < n; ++t) {
      items.push_back(uint32_t(t * 7 % items_of_shop));
      times.push_back(int64_t(t) * t * 1000);
    }
  }
  Tokens tokens() const {
    std::vector<int64_t> position, asked(times.begin() + 1, times.end());
    for (size_t t = 0; t < items.size(); ++t) position.push_back(int64_t(t));
    asked.push_back(now);
    return {row(items), row(position), row(times), row(asked)};
  }
  Tokens with_candidates(int64_t count) const {
    Tokens t = tokens();
    const auto behind = [](Tensor& to, const Tensor& values) {
      to = torch::cat({to, values.view({1, -1})}, 1);
    };
    behind(t.items, torch::arange(count));
    behind(t.position, torch::full({count}, int64_t(items.size()), torch::kLong));
    behind(t.times, torch::full({count}, now, torch::kLong));
    behind(t.asked, torch::full({count}, now, torch::kLong));
    t.candidates = count;
    return t;
  }
};

Tensor states(SequenceModelImpl& model, const Tokens& tokens) {
  model.eval();
  return model.encode(torch::embedding(model.item_embedding, tokens.items), tokens)[0];
}

double distance(const Tensor& a, const std::vector<float>& b) {
  return (a - torch::tensor(b)).abs().max().item<double>();
}

// Makes LayerNorms and biases matter, which start as ones and zeros.
void shake(torch::nn::Module& module) {
  for (Tensor& p : module.parameters()) p.add_(torch::randn(p.sizes()).mul_(0.1));
}

TEST(Hstu, ServesWhatItTrained) {
  setup_torch(1, 5);
  torch::NoGradGuard no_grad;
  constexpr int64_t kItems = 30;
  Hstu model(kItems, shape());
  shake(*model);
  const fs::path file = scratch_dir("hstu_parity") / "hstu.safetensors";
  export_hstu(file, *model);
  const sequence::Hstu served(file);
  std::vector<uint32_t> candidates;
  for (uint32_t i = 0; i < kItems; ++i) candidates.push_back(i);
  for (const int n : {1, 5, 20}) {
    const User user(n, kItems);
    const Tensor expected = states(*model, user.with_candidates(kItems));
    const auto history = served.read({user.items, user.times, user.now});
    EXPECT_LT(distance(expected[n - 1], history.user), 1e-4);
    std::vector<float> scores(kItems);
    served.rank(history, candidates, scores);
    EXPECT_LT(distance(expected.slice(0, n).matmul(model->rank_head) +
                           model->item_embedding.matmul(expected[n - 1]),
                       scores),
              1e-4);
  }
}

TEST(Sasrec, ServesWhatItTrained) {
  setup_torch(1, 6);
  torch::NoGradGuard no_grad;
  Sasrec model(30, shape());
  shake(*model);
  const fs::path file = scratch_dir("sasrec_parity") / "sasrec.safetensors";
  export_sasrec(file, *model);
  const User user(13, 30);
  EXPECT_LT(
      distance(states(*model, user.tokens())[12], sequence::Sasrec(file).user_vector(user.items)),
      1e-4);
}

TEST(Hstu, CandidatesChangeNeitherEventsNorOneAnother) {
  setup_torch(1, 7);
  torch::NoGradGuard no_grad;
  Hstu model(30, shape());
  const User user(6, 30);
  const Tensor alone = states(*model, user.tokens());
  const Tensor among = states(*model, user.with_candidates(9));
  EXPECT_TRUE(torch::allclose(alone, among.slice(0, 0, 6), 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(states(*model, user.with_candidates(1))[6], among[6], 1e-4, 1e-5));
}

TEST(Hstu, PaddingChangesNothing) {
  setup_torch(1, 8);
  torch::NoGradGuard no_grad;
  Hstu model(30, shape());
  model->eval();
  const Tokens tokens = User(6, 30).tokens();
  const auto pad = [](const Tensor& values, int64_t with) {
    return torch::cat({torch::full({1, 3}, with, torch::kLong), values}, 1);
  };
  const Tokens padded{pad(tokens.items, kPad), pad(tokens.position, 0), pad(tokens.times, 0),
                      pad(tokens.asked, 0)};
  const Tensor embedded = torch::embedding(model->item_embedding, tokens.items);
  const Tensor more = torch::cat({torch::randn({1, 3, 32}), embedded}, 1);
  EXPECT_TRUE(torch::allclose(model->encode(embedded, tokens),
                              model->encode(more, padded).slice(1, 3), 1e-5, 1e-6));
}

TEST(Candidates, StandInForATargetOfTheirRow) {
  setup_torch(1, 9);
  const fs::path dir = scratch("candidates");
  data::DatasetBuilder builder;
  for (int u = 0; u < 5; ++u) {
    for (int t = 0; t < 4 + u; ++t) {
      builder.add_event({"u" + std::to_string(u), "i" + std::to_string((u * 3 + t) % 11),
                         int64_t(t) * 10 + u, 1.0F});
    }
  }
  builder.write(dir, "shop", 0, Json::object());
  const auto dataset = data::Dataset::open(dir);
  data::View view{&dataset, {}};
  std::vector<Window> windows;
  for (uint32_t u = 0; u < dataset.users(); ++u) {
    view.length.push_back(uint32_t(dataset.items_of(u).size()));
    windows.push_back({u, 0, view.length[u]});
  }
  Batch batch = make_batch(view, windows);
  const int64_t events = batch.target.size(1);
  add_candidates(batch, NegativeSampler(view, 0.5), 3, 1, 2);
  ASSERT_EQ(batch.tokens.candidates, 4);
  ASSERT_EQ(batch.tokens.items.size(1), events + 4);
  for (uint32_t u = 0; u < dataset.users(); ++u) {
    for (int64_t c = events; c < events + 4; ++c) {
      const auto at = batch.tokens.position[u][c].item<int64_t>();
      ASSERT_LT(at, int64_t(view.length[u]));
      EXPECT_EQ(batch.tokens.times[u][c].item<int64_t>(), view.times_of(u)[size_t(at)]);
      EXPECT_EQ(batch.tokens.asked[u][c].item<int64_t>(), view.times_of(u)[size_t(at)]);
      const auto before = batch.before[u].item<int64_t>();
      EXPECT_EQ(batch.tokens.position[u][before].item<int64_t>(), at - 1);
      if (c == events) {
        EXPECT_EQ(batch.tokens.items[u][c].item<int64_t>(), view.items_of(u)[size_t(at)]);
      }
    }
  }
}

}  // namespace
}  // namespace podium::train
