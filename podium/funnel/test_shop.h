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

// Quick to fit; all that it is given must outlive it.
inline UpstreamInputs inputs_of(const data::Dataset& dataset, const data::Split& split,
                                const std::vector<float>& vectors) {
  UpstreamInputs inputs;
  inputs.dataset = &dataset;
  inputs.split = &split;
  inputs.item_vectors = vectors;
  inputs.dim = kDim;
  inputs.k = 5;
  inputs.threads = 2;
  inputs.options.ranker.rounds = 20;
  return inputs;
}

// The moment of a target, as somebody asks for it who is served.
inline retrieval::Query query_of(const data::Phase& phase, size_t target) {
  const auto& [user, position] = phase.targets[target];
  const data::Dataset& dataset = *phase.fit.dataset;
  return {dataset.items_of(user).first(position), dataset.times_of(user).first(position),
          phase.time(target)};
}

// The items of another dataset, in the same order.
inline void add_items(const data::Dataset& from, data::DatasetBuilder& builder) {
  for (data::ItemIndex i = 0; i < from.items(); ++i) {
    builder.add_item({std::string(from.item_id(i)),
                      "",
                      "",
                      "",
                      {std::string(from.categories(i)[0])},
                      from.price(i)});
  }
}

class UpstreamTest : public testing::Test {
 protected:
  void SetUp() override { fit_upstream(inputs_, dir_); }

  data::Dataset dataset_ = shop();
  data::Split split_ = data::leave_one_out(dataset_);
  std::vector<float> vectors_ = shelf_vectors(dataset_);
  UpstreamInputs inputs_ = inputs_of(dataset_, split_, vectors_);
  fs::path dir_ = scratch("fit");
};

}  // namespace podium::funnel
