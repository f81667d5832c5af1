#include "podium/eval/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/rng.h"
#include "podium/eval/bootstrap.h"
#include "podium/eval/slices.h"

namespace podium::eval {
namespace {

// The targets in the form that resampling reads.
struct Prepared {
  size_t k = 10;
  size_t units = 0;                        // users
  std::vector<uint32_t> unit;              // [targets]
  std::vector<uint8_t> cell;               // [targets]
  std::vector<double> counts;              // [targets] what each counts
  std::vector<SliceMask> slices;           // those kept
  std::vector<std::vector<Values>> value;  // [stages][targets]; AUC is NaN outside the slate

  size_t stages() const { return value.size(); }
};

void drop_empty_slices(Prepared& p) {
  std::array<size_t, kCells> count{};
  for (const uint8_t c : p.cell) ++count[c];
  const auto targets = [&](const SliceMask& slice) {
    size_t n = 0;
    for (size_t c = 0; c < kCells; ++c) n += slice.cells[c] ? count[c] : 0;
    return n;
  };
  // A partition of one part says nothing that "all" does not.
  std::erase_if(p.slices, [&](const SliceMask& slice) {
    if (slice.name == "all" || slice.name == "in-slate") return false;
    const size_t n = targets(slice);
    return n == 0 || n == p.cell.size();
  });
}

void prepare_targets(const TargetSet& set, const StageResult* upstream, Prepared& p) {
  std::unordered_map<uint32_t, uint32_t> unit_of;
  for (size_t t = 0; t < set.targets.size(); ++t) {
    const TargetInfo& target = set.targets[t];
    p.unit.push_back(unit_of.try_emplace(target.user, uint32_t(unit_of.size())).first->second);
    const bool in_slate =
        upstream != nullptr && upstream->rank[t] >= 0 && size_t(upstream->rank[t]) < p.k;
    p.cell.push_back(uint8_t(cell_of(target, in_slate).index()));
    p.counts.push_back(target.weight);
  }
  p.units = unit_of.size();
}

Prepared prepare(const TargetSet& set, const std::vector<StageResult>& stages, size_t k) {
  const size_t n = set.targets.size();
  for (const StageResult& s : stages) {
    if (s.rank.size() != n || s.lists.size() != n || (!s.labels.empty() && s.labels.size() != n)) {
      throw Error(fmt::format("stage {} has {} ranks and {} lists for {} targets", s.stage,
                              s.rank.size(), s.lists.size(), n),
                  "give every stage one entry a target");
    }
  }
  Prepared p;
  p.k = k;
  p.slices = all_slices();
  prepare_targets(set, find_stage(stages, "upstream"), p);
  drop_empty_slices(p);
  for (const StageResult& s : stages) {
    std::vector<Values>& values = p.value.emplace_back();
    for (size_t t = 0; t < n; ++t) {
      values.push_back(metrics_of_target(s, t, Cell::of(p.cell[t]).in_slate, k));
    }
  }
  return p;
}

// Weighted sums of one stage's values, a cell.
struct Sums {
  std::array<Values, kCells> sum{};
  std::array<double, kCells> targets{}, judged{};  // judged: those with an AUC
};

Sums accumulate(const Prepared& p, size_t stage, const std::vector<uint32_t>& weight) {
  Sums sums;
  const Values* value = p.value[stage].data();
  for (size_t t = 0; t < p.cell.size(); ++t) {
    const double w = weight[p.unit[t]] * p.counts[t];
    if (w == 0) continue;
    const uint8_t cell = p.cell[t];
    for (size_t m = 0; m < kAuc; ++m) sums.sum[cell][m] += w * value[t][m];
    sums.targets[cell] += w;
    if (std::isnan(value[t][kAuc])) continue;
    sums.sum[cell][kAuc] += w * value[t][kAuc];
    sums.judged[cell] += w;
  }
  return sums;
}

Values metrics_of(const Sums& sums, const SliceMask& slice) {
  Values mean{};
  double targets = 0, judged = 0;
  for (size_t c = 0; c < kCells; ++c) {
    if (!slice.cells[c]) continue;
    for (size_t m = 0; m < kMetrics; ++m) mean[m] += sums.sum[c][m];
    targets += sums.targets[c];
    judged += sums.judged[c];
  }
  for (size_t m = 0; m < kAuc; ++m) mean[m] = targets > 0 ? mean[m] / targets : kNan;
  mean[kAuc] = judged > 0 ? mean[kAuc] / judged : kNan;
  return mean;
}

// All values under one weighting of the users: [stages * slices].
std::vector<Values> values_under(const Prepared& p, const std::vector<uint32_t>& weight) {
  std::vector<Values> values;
  values.reserve(p.stages() * p.slices.size());
  for (size_t s = 0; s < p.stages(); ++s) {
    const Sums sums = accumulate(p, s, weight);
    for (const SliceMask& slice : p.slices) values.push_back(metrics_of(sums, slice));
  }
  return values;
}

// [resamples][stages * slices]
std::vector<std::vector<Values>> bootstrap(const Prepared& p, const MetricOptions& options,
                                           int threads) {
  const Rng root = Rng(uint64_t(options.seed)).fork("bootstrap");
  std::vector<std::vector<Values>> samples(size_t(std::max(0, options.resamples)));
  parallel_for(threads, samples.size(), 8, [&](size_t begin, size_t end) {
    std::vector<uint32_t> weight(p.units);
    for (size_t b = begin; b < end; ++b) {
      resample(root.fork(b), weight);
      samples[b] = values_under(p, weight);
    }
  });
  return samples;
}

// Two-sided sign-flip test of the sum of per-user differences.
double permutation_p(const std::vector<double>& difference, int permutations, Rng rng) {
  std::vector<double> moving;
  double observed = 0;
  for (const double d : difference) {
    if (d != 0) moving.push_back(d);
    observed += d;
  }
  const double bar = std::abs(observed) - 1e-9;
  int extreme = 0;
  for (int i = 0; i < permutations; ++i) {
    double sum = 0;
    uint64_t bits = 0;
    for (size_t j = 0; j < moving.size(); ++j) {
      if (j % 64 == 0) bits = rng.next();
      sum += (bits >> (j % 64) & 1) != 0 ? moving[j] : -moving[j];
    }
    extreme += std::abs(sum) >= bar ? 1 : 0;
  }
  return double(extreme + 1) / double(permutations + 1);
}

std::vector<double> user_differences(const Prepared& p, size_t stage, size_t baseline,
                                     const SliceMask& slice, Metric metric) {
  std::vector<double> difference(p.units);
  for (size_t t = 0; t < p.cell.size(); ++t) {
    const double by = p.value[stage][t][metric] - p.value[baseline][t][metric];
    if (slice.cells[p.cell[t]] && !std::isnan(by)) difference[p.unit[t]] += p.counts[t] * by;
  }
  return difference;
}

struct Pair {
  size_t stage, baseline, slice;
};

// Each stage against the one before it and against upstream, over "all" and "in-slate".
std::vector<Pair> pairs_of(const std::vector<StageResult>& stages) {
  std::optional<size_t> upstream;
  for (size_t s = 0; s < stages.size(); ++s) {
    if (stages[s].stage == "upstream") upstream = s;
  }
  std::vector<Pair> pairs;
  for (size_t s = 0; s < stages.size(); ++s) {
    for (const size_t slice : {0, 1}) {
      if (s > 0) pairs.push_back({s, s - 1, slice});
      if (upstream && *upstream != s && (s == 0 || *upstream != s - 1)) {
        pairs.push_back({s, *upstream, slice});
      }
    }
  }
  return pairs;
}

struct Context {
  const Prepared& p;
  const std::vector<StageResult>& stages;
  const std::vector<Values>& exact;                 // [stages * slices]
  const std::vector<std::vector<Values>>& samples;  // [resamples][stages * slices]
  const MetricOptions& options;
};

Comparison compare(const Context& c, const Pair& pair) {
  const size_t slices = c.p.slices.size();
  const size_t a = pair.stage * slices + pair.slice, b = pair.baseline * slices + pair.slice;
  const StageResult& stage = c.stages[pair.stage];
  const StageResult& baseline = c.stages[pair.baseline];
  Comparison out{stage.stage, baseline.stage, pair.slice, {}, {}};
  for (size_t m = 0; m < kMetrics; ++m) {
    std::vector<double> differences;
    for (const auto& sample : c.samples) differences.push_back(sample[a][m] - sample[b][m]);
    out.difference[m] = estimate(c.exact[a][m] - c.exact[b][m], std::move(differences));
    out.p[m] = kNan;
    if (std::isnan(out.difference[m].value)) continue;
    const SliceMask& slice = c.p.slices[pair.slice];
    out.p[m] = permutation_p(
        user_differences(c.p, pair.stage, pair.baseline, slice, Metric(m)), c.options.resamples,
        Rng(uint64_t(c.options.seed))
            .fork(fmt::format("{} {} {} {}", stage.stage, baseline.stage, slice.name, m)));
  }
  return out;
}

StageMetrics stage_metrics(const Context& c, size_t s) {
  StageMetrics out;
  out.stage = c.stages[s].stage;
  for (size_t slice = 0; slice < c.p.slices.size(); ++slice) {
    const size_t at = s * c.p.slices.size() + slice;
    MetricRow row;
    for (size_t m = 0; m < kMetrics; ++m) {
      std::vector<double> values;
      for (const auto& sample : c.samples) values.push_back(sample[at][m]);
      row[m] = estimate(c.exact[at][m], std::move(values));
    }
    out.rows.push_back(row);
  }
  return out;
}

void add_diversity(const std::vector<uint32_t>& popularity, const StageResult& stage,
                   StageMetrics& out) {
  std::vector<uint64_t> shown(popularity.size());
  double events = 0, surprise = 0;
  for (const uint32_t count : popularity) events += count;
  uint64_t total = 0;
  for (const auto& list : stage.lists) {
    for (size_t r = 0; r < std::min<size_t>(list.size(), 10); ++r) {
      PODIUM_CHECK(list[r] < shown.size());
      ++shown[list[r]];
      ++total;
    }
  }
  size_t covered = 0;
  for (size_t i = 0; i < shown.size(); ++i) {
    if (shown[i] == 0) continue;
    ++covered;
    const double share = std::max(1.0, double(popularity[i])) / std::max(1.0, events);
    surprise -= double(shown[i]) * std::log2(share);
  }
  out.coverage = shown.empty() ? 0 : double(covered) / double(shown.size());
  out.novelty = total == 0 ? 0 : surprise / double(total);
  out.gini = gini(std::move(shown));
}

}  // namespace

bool reorders_slates(std::string_view stage) {
  return stage == "upstream" || stage == "trees" || stage.starts_with("gr2");
}

Values metrics_of_target(const StageResult& stage, size_t target, bool in_slate, size_t k) {
  Values values;
  const bool judged = in_slate && reorders_slates(stage.stage);
  for (size_t m = 0; m < kMetrics; ++m) {
    const bool labelled = !stage.labels.empty() && reads_labels(Metric(m));
    values[m] = labelled ? metric_of_labels(Metric(m), stage.labels[target])
                         : metric_of_rank(Metric(m), stage.rank[target], k);
  }
  if (stage.labels.empty() && !judged) values[kAuc] = kNan;
  return values;
}

Evaluation evaluate(const TargetSet& targets, const std::vector<StageResult>& stages,
                    const MetricOptions& options, int threads) {
  if (options.k < 2) throw Error("a slate needs at least two candidates", "raise k");
  const Prepared p = prepare(targets, stages, size_t(options.k));
  const std::vector<Values> exact = values_under(p, std::vector<uint32_t>(p.units, 1));
  const auto samples = bootstrap(p, options, threads);
  const Context context{p, stages, exact, samples, options};

  Evaluation out;
  out.k = p.k;
  for (const SliceMask& slice : p.slices) {
    const auto n = std::count_if(p.cell.begin(), p.cell.end(),
                                 [&](uint8_t cell) { return slice.cells[cell]; });
    out.slices.push_back({slice.name, size_t(n)});
  }
  out.stages.resize(stages.size());
  const std::vector<Pair> pairs = pairs_of(stages);
  out.comparisons.resize(pairs.size());
  parallel_for(threads, stages.size() + pairs.size(), 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (i < stages.size()) {
        out.stages[i] = stage_metrics(context, i);
        add_diversity(targets.popularity, stages[i], out.stages[i]);
      } else {
        out.comparisons[i - stages.size()] = compare(context, pairs[i - stages.size()]);
      }
    }
  });
  return out;
}

}  // namespace podium::eval
