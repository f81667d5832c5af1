// Several runs in one table: the seeds of a data set together, and all runs together. Each target
// of each run counts once. Intervals are over users, and what a user has in all runs of a data set
// is drawn together; differences are paired.
#pragma once

#include <string>
#include <vector>

#include "podium/eval/metrics.h"

namespace podium::eval {

struct PoolRun {
  std::string set;    // name of the data set
  std::string order;  // whose order the policy improves: "ranker", "item-to-item", ...
  size_t k;           // candidates a slate
  SavedResults results;
};

struct PooledStage {
  std::string stage;
  MetricRow all, in_slate;           // over all targets, over those in the slates
  MetricRow over_order, over_trees;  // in-slate differences; NaN for itself
};

struct PooledTable {
  std::string set, order;  // "all" where runs of several are together
  size_t runs = 0, targets = 0, slates = 0;
  std::vector<PooledStage> stages;  // those that every run has, in the first run's order
};

// A table for each data set, order and k, as they come, and one of all runs if these are several.
// Retrievers are left out. Where the trees' own order was improved, it also stands for "trees".
// Throws Error when runs of one data set have different targets.
std::vector<PooledTable> pool(std::vector<PoolRun> runs, const MetricOptions& options, int threads);

Json to_json(const std::vector<PooledTable>& tables);
std::string render(const std::vector<PooledTable>& tables);  // for terminals

}  // namespace podium::eval
