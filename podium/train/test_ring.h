// Users who walk round a ring of items, in tests.
#pragma once

#include <cstdint>
#include <string>

#include "podium/data/dataset_builder.h"
#include "podium/data/split.h"

namespace podium::train {

// Users walk round a ring of items: the next item is certain.
inline data::Dataset ring_dataset(const fs::path& dir, int users, int items, int length) {
  data::DatasetBuilder builder;
  for (int u = 0; u < users; ++u) {
    for (int t = 0; t < length + u % 3; ++t) {
      builder.add_event(
          {"u" + std::to_string(u), "i" + std::to_string((u * 7 + t) % items), int64_t(t), 1.0f});
    }
  }
  builder.write(dir, "ring", 0, Json::object());
  return data::Dataset::open(dir);
}

inline data::View whole(const data::Dataset& dataset, uint32_t held_out) {
  data::View view{&dataset, {}};
  for (uint32_t u = 0; u < dataset.users(); ++u) {
    view.length.push_back(uint32_t(dataset.items_of(u).size()) - held_out);
  }
  return view;
}

}  // namespace podium::train
