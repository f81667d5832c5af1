// Metrics of ranked lists with 95 % bootstrap intervals, slices and paired tests.
//
//   R@k   share of targets ranked before k         N@k   1 / log2(rank + 2) before k, else 0
//   MRR   1 / (rank + 1), 0 if not retrieved       AUC   1 - rank / (K - 1), over targets among the
//                                                        K candidates; only of slate re-orderers
// (one positive a target; rank from 0). Of slates that were shown, with any number of clicks: R@k
// is whether a click stands before k, MRR that of the first, N@k and AUC count all. Means are
// weighed by what each target counts. Intervals:
// percentile bootstrap over users (a user's targets stay together), the same resamples for every
// stage, so that differences are paired. p-values: two-sided sign-flip permutation test over users.
// Deterministic for a seed, whatever the thread count.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/json.h"
#include "podium/base/option_range.h"
#include "podium/eval/bootstrap.h"
#include "podium/eval/results.h"

namespace podium::eval {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();  // an undefined metric

enum Metric : uint8_t { kR1, kR3, kR5, kR10, kN3, kN5, kN10, kMrr, kAuc, kMetrics };
std::string_view metric_name(Metric metric);  // "R@1", ..., "MRR", "AUC"

using Values = std::array<double, kMetrics>;  // NaN where a metric has no meaning
using MetricRow = std::array<Estimate, kMetrics>;

// Targets that a row is about. "all", "in-slate" (target among upstream's K candidates),
// "same-day", "other-day", "history 1-4" .., "head", "tail", "cold".
struct Slice {
  std::string name;
  size_t targets = 0;
};

struct StageMetrics {
  std::string stage;
  std::vector<MetricRow> rows;  // [slices]
  double coverage = 0;          // share of the catalogue in any list's first 10
  double gini = 0;              // of items' exposure in the first 10: 0 even, 1 one item has all
  double novelty = 0;           // mean -log2 popularity share of the items shown; an item without
                                // events counts as one
};

struct Comparison {
  std::string stage, baseline;
  size_t slice = 0;  // index into Evaluation::slices: "all" or "in-slate"
  std::array<Estimate, kMetrics> difference{};  // stage minus baseline
  std::array<double, kMetrics> p{};             // NaN where the difference is NaN
};

struct Evaluation {
  size_t k = 10;
  std::vector<Slice> slices;  // empty ones left out, except "all" and "in-slate"
  std::vector<StageMetrics> stages;
  std::vector<Comparison> comparisons;  // each stage vs the one before it and vs upstream
};

struct MetricOptions {
  int k = 10;            // candidates a slate
  int resamples = 2000;  // bootstrap resamples and permutations
  int64_t seed = 1;
  template <class V>
  void visit(V& v) {
    v("resamples", resamples, "bootstrap resamples and permutations of the paired tests",
      between(1, 1000000));
    v("seed", seed, "seed of the resamples", at_least(0));
  }
};

// The stage named "upstream" defines the slates (its first k); without one, "in-slate" is empty.
// AUC is measured for upstream and the stages whose name starts with "gr2". Throws Error when a
// stage's columns do not have one entry a target.
Evaluation evaluate(const TargetSet& targets, const std::vector<StageResult>& stages,
                    const MetricOptions& options, int threads);

Json to_json(const MetricRow& row);  // NaN becomes null
Json to_json(const Evaluation& evaluation);

// Whether a stage orders slates: upstream, the ranker's trees on its lists, a policy; else it
// retrieves.
bool reorders_slates(std::string_view stage);

// All metrics of what a stage answered for one target.
Values metrics_of_target(const StageResult& stage, size_t target, bool in_slate, size_t k);

// One metric of one target: its value given the rank; NaN for AUC outside the slate.
double metric_of_rank(Metric metric, int32_t rank, size_t k);

// Whether a metric reads the labels of several answers, where there are labels: N@k and the AUC.
// R@k and MRR are of the first one's rank.
bool reads_labels(Metric metric);

// Such a metric of a slate that was shown, or of a basket, given its labels in the stage's order;
// NaN for the AUC of labels that are all alike.
double metric_of_labels(Metric metric, std::span<const uint8_t> labels);

// Gini coefficient of non-negative counts; 0 when all are 0.
double gini(std::vector<uint64_t> counts);

}  // namespace podium::eval
