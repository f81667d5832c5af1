// Small runs for the pipeline's tests.
#pragma once

#include <cmath>
#include <functional>
#include <set>
#include <string>

#include "podium/base/error.h"
#include "podium/data/dataset_builder.h"
#include "podium/pipeline/pipeline.h"

namespace podium::pipeline {

using ItemOf = std::function<int(int user, int event)>;

inline void write_shop(const fs::path& dir, int users, int events, const ItemOf& item_of,
                       const std::string& name = "shop") {
  data::DatasetBuilder builder;
  std::set<int> items;
  for (int u = 0; u < users; ++u) {
    for (int e = 0; e < events; ++e) {
      const int item = item_of(u, e);
      items.insert(item);
      builder.add_event(
          {"u" + std::to_string(u), "i" + std::to_string(item), int64_t(e) * 86400 + u, 1});
    }
  }
  for (const int item : items) {
    const std::string shelf = "shelf" + std::to_string(item % 5);
    builder.add_item({"i" + std::to_string(item), "thing on " + shelf, "", "", {shelf}, NAN});
  }
  builder.write(dir, name, 0, {{"file", name + ".csv"}});
}

// Walks along a shelf: enough order for every stage to work.
inline int walk(int user, int event) { return (user * 7 + event * 5) % 60; }

inline PipelineRequest request_for(const fs::path& root, const std::string& until) {
  PipelineRequest request;
  request.data = root / "shop";
  request.out = root / "run";
  request.until = until;
  request.options.threads = 1;
  request.options.k = 5;
  request.options.encoder.lsa.dim = 8;
  request.options.sasrec.epochs = 0;
  request.options.upstream.ranker.rounds = 5;
  request.options.split.slate_targets = 2;
  return request;
}

inline Error error_of(const PipelineRequest& request) {
  try {
    run_pipeline(request);
  } catch (const Error& error) {
    return error;
  }
  return Error("");
}

}  // namespace podium::pipeline
