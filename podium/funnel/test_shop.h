// A small shop and its upstream, for tests.
#pragma once

#include <gtest/gtest.h>

#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/funnel/upstream_fit.h"

namespace podium::funnel {

inline constexpr size_t kUsers = 160, kItems = 60, kDim = 6;

// Users walk along one of six shelves of ten items, mostly to the next one.
inline data::Dataset shop() {
  data::DatasetBuilder builder;
  for (size_t i = 0; i < kItems; ++i) {
    builder.add_item(
        {"i" + std::to_string(i), "", "", "", {"shelf" + std::to_string(i / 10)}, float(10 + i)});
  }
  Rng rng(11);
  for (size_t u = 0; u < kUsers; ++u) {
    size_t at = rng.below(10);
    const size_t shelf = u % 6;
    for (int t = 0; t < 9; ++t) {
      at = (at + (rng.below(10) < 7 ? 1 : 3)) % 10;
      builder.add_event({"u" + std::to_string(u), "i" + std::to_string(shelf * 10 + at),
                         t * 86400 + int64_t(u), 1});
    }
  }
  const fs::path dir = scratch("shop");
  builder.write(dir, "shop", 0, {});
  return data::Dataset::open(dir);
}

inline std::vector<float> shelf_vectors(const data::Dataset& dataset) {
  std::vector<float> vectors(dataset.items() * kDim);
  for (data::ItemIndex i = 0; i < dataset.items(); ++i) {
    vectors[i * kDim + size_t(dataset.categories(i)[0].back() - '0')] = 1;
  }
  return vectors;
}

class UpstreamTest : public testing::Test {
 protected:
  void SetUp() override {
    inputs_.dataset = &dataset_;
    inputs_.split = &split_;
    inputs_.item_vectors = vectors_;
    inputs_.dim = kDim;
    inputs_.k = 5;
    inputs_.threads = 2;
    inputs_.options.ranker.rounds = 20;
    fit_upstream(inputs_, dir_);
  }

  data::Dataset dataset_ = shop();
  data::Split split_ = data::leave_one_out(dataset_);
  std::vector<float> vectors_ = shelf_vectors(dataset_);
  UpstreamInputs inputs_;
  fs::path dir_ = scratch("fit");
};

}  // namespace podium::funnel
