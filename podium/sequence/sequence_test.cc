// The models against plain loops in double, from the formulas in their headers.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/sequence/hstu.h"
#include "podium/sequence/sasrec.h"
#include "podium/sequence/test_weights.h"

namespace podium::sequence {
namespace {

using Row = std::vector<double>;

constexpr TestShape kShape{.items = 40, .dim = 12, .blocks = 2, .heads = 3, .max_len = 9};

double silu(double x) { return x / (1 + std::exp(-x)); }

// The reference: one token at a time, everything computed again.
class Plain {
 public:
  explicit Plain(const TestWeights& weights) : w_(weights) {}

  Row item(uint32_t i) const {
    const auto& all = w_["item_embedding"];
    return {all.begin() + i * kShape.dim, all.begin() + (i + 1) * kShape.dim};
  }
  Row linear(const std::string& name, const Row& x) const {
    const auto &weight = w_[name + ".weight"], &bias = w_[name + ".bias"];
    Row y(bias.begin(), bias.end());
    for (size_t j = 0; j < y.size(); ++j) {
      for (size_t p = 0; p < x.size(); ++p) y[j] += x[p] * weight[j * x.size() + p];
    }
    return y;
  }
  static Row standardize(const Row& x, double eps) {
    double mean = 0, square = 0;
    for (double value : x) mean += value / double(x.size());
    for (double value : x) square += (value - mean) * (value - mean) / double(x.size());
    Row y;
    for (double value : x) y.push_back((value - mean) / std::sqrt(square + eps));
    return y;
  }
  Row norm(const std::string& name, const Row& x) const {
    Row y = standardize(x, 1e-5);
    for (size_t j = 0; j < y.size(); ++j)
      y[j] = y[j] * w_[name + ".weight"][j] + w_[name + ".bias"][j];
    return y;
  }
  double at(const std::string& name, size_t i) const { return w_[name][i]; }

 private:
  const TestWeights& w_;
};

// sum over s <= t and heads of weight(dot(q, k), s) v, into [dim].
Row attention(const Row& q, const std::vector<Row>& k, const std::vector<Row>& v,
              const std::function<Row(const Row&)>& weights_of) {
  const size_t width = kShape.dim / kShape.heads;
  Row mixed(kShape.dim);
  for (size_t at = 0; at < kShape.dim; at += width) {
    Row logits(k.size());
    for (size_t s = 0; s < k.size(); ++s) {
      for (size_t i = at; i < at + width; ++i) logits[s] += q[i] * k[s][i];
    }
    const Row weights = weights_of(logits);
    for (size_t s = 0; s < k.size(); ++s) {
      for (size_t i = at; i < at + width; ++i) mixed[i] += weights[s] * v[s][i];
    }
  }
  return mixed;
}

void add(Row& x, const Row& y) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

// States of a sequence under HSTU; asked[t]: the time that token t is asked at.
std::vector<Row> plain_hstu(const Plain& p, const std::vector<uint32_t>& items,
                            const std::vector<int64_t>& times, const std::vector<int64_t>& asked) {
  std::vector<Row> x;
  for (uint32_t i : items) x.push_back(p.item(i));
  const auto part = [](const Row& y, size_t n) {
    return Row(y.begin() + n * kShape.dim, y.begin() + (n + 1) * kShape.dim);
  };
  for (size_t b = 0; b < kShape.blocks; ++b) {
    const std::string at = "blocks." + std::to_string(b);
    std::vector<Row> u, v, q, k;
    for (const Row& row : x) {
      Row y = p.linear(at + ".uvqk", p.norm(at + ".norm", row));
      for (double& value : y) value = silu(value);
      u.push_back(part(y, 0)), v.push_back(part(y, 1)), q.push_back(part(y, 2));
      k.push_back(part(y, 3));
    }
    for (size_t t = 0; t < x.size(); ++t) {
      const std::vector<Row> keys(k.begin(), k.begin() + t + 1),
          values(v.begin(), v.begin() + t + 1);
      Row mixed = attention(q[t], keys, values, [&](const Row& logits) {
        Row weights;
        for (size_t s = 0; s <= t; ++s) {
          weights.push_back(silu(logits[s] + p.at(at + ".position_bias", t - s) +
                                 p.at(at + ".time_bias", time_bucket(asked[t] - times[s]))) /
                            double(kShape.max_len));
        }
        return weights;
      });
      mixed = Plain::standardize(mixed, 1e-6);
      for (size_t i = 0; i < mixed.size(); ++i) mixed[i] *= u[t][i];
      add(x[t], p.linear(at + ".out", mixed));
    }
  }
  for (Row& row : x) row = p.norm("norm", row);
  return x;
}

struct Case {
  std::vector<uint32_t> items;
  std::vector<int64_t> times;
  int64_t now = 0;
  Events events() const { return {items, times, now}; }
};

Case random_case(Rng& rng, size_t n) {
  Case c;
  int64_t time = 1000;
  for (size_t i = 0; i < n; ++i) {
    c.items.push_back(uint32_t(rng.below(kShape.items)));
    c.times.push_back(time += int64_t(rng.below(100000)));
  }
  c.now = time + int64_t(rng.below(100000));
  return c;
}

struct World {
  TestWeights weights{kShape, 3};
  fs::path dir = scratch_dir("sequence_test");
};

TEST(Hstu, ReadsAndRanksAsTheFormulasSay) {
  World world;
  world.weights.write_hstu(world.dir / "hstu.safetensors");
  const Hstu model(world.dir / "hstu.safetensors");
  const Plain plain(world.weights);
  Rng rng(4);
  for (const size_t n : {0, 1, 2, 7, 9}) {
    Case c = random_case(rng, n);
    const HstuHistory history = model.read(c.events());
    std::vector<int64_t> asked(c.times.begin() + (n > 0), c.times.end());
    if (n > 0) asked.push_back(c.now);
    const auto states = plain_hstu(plain, c.items, c.times, asked);
    for (size_t i = 0; i < kShape.dim; ++i) {
      EXPECT_NEAR(history.user[i], n > 0 ? states.back()[i] : 0, 1e-4);
    }
    std::vector<uint32_t> candidates(kShape.items);
    for (size_t i = 0; i < candidates.size(); ++i) candidates[i] = uint32_t(i);
    std::vector<float> scores(candidates.size());
    model.rank(history, candidates, scores);
    c.times.push_back(c.now), asked.push_back(c.now), c.items.push_back(0);
    for (size_t i = 0; i < candidates.size(); ++i) {
      c.items.back() = candidates[i];
      const Row state = plain_hstu(plain, c.items, c.times, asked).back();
      const Row item = plain.item(candidates[i]);
      double expected = 0;
      for (size_t j = 0; j < state.size(); ++j) {
        expected += state[j] * plain.at("rank_head", j) + history.user[j] * item[j];
      }
      EXPECT_NEAR(scores[i], expected, 1e-4) << n << " events, candidate " << i;
    }
  }
}

TEST(Hstu, MicroBatchesScoreAsOneByOne) {
  World world;
  world.weights.write_hstu(world.dir / "hstu.safetensors");
  const Hstu model(world.dir / "hstu.safetensors");
  Rng rng(5);
  const Case c = random_case(rng, 30);  // more than max_len: the newest count
  std::vector<uint32_t> candidates;
  for (size_t i = 0; i < 2 * Hstu::kMicroBatch + 3; ++i) {
    candidates.push_back(uint32_t(rng.below(kShape.items)));
  }
  std::vector<float> together(candidates.size());
  model.rank(model.read(c.events()), candidates, together);
  for (size_t i = 0; i < candidates.size(); ++i) {
    float single = 0;
    model.rank(model.read(c.events()), {&candidates[i], 1}, {&single, 1});
    EXPECT_NEAR(together[i], single, 1e-5);
  }
}

TEST(Hstu, Int8StaysNear) {
  World world;
  world.weights.write_hstu(world.dir / "hstu.safetensors");
  const Hstu exact(world.dir / "hstu.safetensors");
  const Hstu small(world.dir / "hstu.safetensors", kernels::Precision::kInt8);
  Rng rng(6);
  const Case c = random_case(rng, 9);
  const auto a = exact.read(c.events()).user, b = small.read(c.events()).user;
  double product = 0, squares = 0, others = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += a[i] * b[i], squares += a[i] * a[i], others += b[i] * b[i];
  }
  EXPECT_GT(product / std::sqrt(squares * others), 0.995);
}

TEST(Sasrec, EncodesAsTheFormulasSay) {
  World world;
  world.weights.write_sasrec(world.dir / "sasrec.safetensors");
  const Sasrec model(world.dir / "sasrec.safetensors");
  const Plain p(world.weights);
  Rng rng(7);
  for (const size_t n : {1, 4, 9, 20}) {
    const Case c = random_case(rng, n);
    const size_t time = std::min(n, kShape.max_len);
    std::vector<Row> x;
    for (size_t t = 0; t < time; ++t) {
      x.push_back(p.item(c.items[n - time + t]));
      for (size_t i = 0; i < kShape.dim; ++i) {
        x[t][i] += p.at("position_embedding", (time - 1 - t) * kShape.dim + i);
      }
    }
    for (size_t b = 0; b < kShape.blocks; ++b) {
      const std::string at = "blocks." + std::to_string(b);
      std::vector<Row> k, v;
      for (size_t t = 0; t < time; ++t) {
        const Row normed = p.norm(at + ".norm1", x[t]);
        k.push_back(p.linear(at + ".attention.k", normed));
        v.push_back(p.linear(at + ".attention.v", normed));
        const Row mixed =
            attention(p.linear(at + ".attention.q", normed), k, v, [&](const Row& logits) {
              Row weights;
              double sum = 0;
              for (double logit : logits) {
                weights.push_back(std::exp(logit / std::sqrt(kShape.dim / kShape.heads)));
                sum += weights.back();
              }
              for (double& weight : weights) weight /= sum;
              return weights;
            });
        add(x[t], p.linear(at + ".attention.o", mixed));
        Row inner = p.linear(at + ".ffn.up", p.norm(at + ".norm2", x[t]));
        for (double& value : inner) value *= 0.5 * (1 + std::erf(value / std::sqrt(2.0)));
        add(x[t], p.linear(at + ".ffn.down", inner));
      }
    }
    const Row expected = p.norm("norm", x.back());
    const auto user = model.user_vector(c.items);
    for (size_t i = 0; i < kShape.dim; ++i) EXPECT_NEAR(user[i], expected[i], 1e-4);
  }
  EXPECT_EQ(model.user_vector({}), std::vector<float>(kShape.dim));
}

TEST(Weights, DamageIsAnError) {
  World world;
  const fs::path file = world.dir / "hstu.safetensors";
  EXPECT_THROW(Hstu{file}, Error);
  TestWeights(kShape, 1).write_sasrec(file);
  EXPECT_THROW(Hstu{file}, Error);  // of another model
  TestWeights({.items = 4, .dim = 10, .blocks = 1, .heads = 3, .max_len = 5}, 1).write_hstu(file);
  EXPECT_THROW(Hstu{file}, Error);  // 3 heads do not share 10
  world.weights.write_hstu(file);
  const std::string bytes = read_file(file);
  write_file_atomic(file, bytes.substr(0, bytes.size() - 8));
  EXPECT_THROW(Hstu{file}, Error);
}

TEST(TimeBucket, HalfOctaves) {
  const int64_t seconds[] = {-5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12};
  const int expected[] = {0, 0, 1, 3, 4, 5, 5, 6, 6, 7, 7, 8};
  for (size_t i = 0; i < std::size(seconds); ++i) EXPECT_EQ(time_bucket(seconds[i]), expected[i]);
  EXPECT_EQ(time_bucket(int64_t{1} << 62), kTimeBuckets - 1);
}

}  // namespace
}  // namespace podium::sequence
