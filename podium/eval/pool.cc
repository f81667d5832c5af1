#include "podium/eval/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/eval/report.h"

namespace podium::eval {
namespace {

enum Scope : uint8_t { kAll, kInSlate, kScopes };

// Sums of one user's values, and how many they are.
struct Sum {
  Values sum{}, count{};

  void add(const Values& values, double weight) {
    for (size_t m = 0; m < kMetrics; ++m) {
      if (std::isnan(values[m])) continue;
      sum[m] += weight * values[m];
      count[m] += weight;
    }
  }
  void add(const Sum& other, double weight) {
    for (size_t m = 0; m < kMetrics; ++m) {
      sum[m] += weight * other.sum[m];
      count[m] += weight * other.count[m];
    }
  }
  Values mean() const {
    Values mean;
    for (size_t m = 0; m < kMetrics; ++m) mean[m] = count[m] > 0 ? sum[m] / count[m] : kNan;
    return mean;
  }
};

using Group = std::vector<const PoolRun*>;

// Those of the first run that all have.
std::vector<std::string> stages_of(const Group& group) {
  std::vector<std::string> names;
  for (const StageResult& s : group.front()->results.stages) {
    const bool shared = std::ranges::all_of(group, [&](const PoolRun* run) {
      return find_stage(run->results.stages, s.stage) != nullptr;
    });
    if (shared && reorders_slates(s.stage)) names.push_back(s.stage);
  }
  return names;
}

class Pool {
 public:
  Pool(const Group& group, std::vector<std::string> stages) : stages_(std::move(stages)) {
    std::map<std::pair<std::string, uint32_t>, size_t> unit_of;
    for (const PoolRun* run : group) {
      const StageResult& upstream = *find_stage(run->results.stages, "upstream");
      std::vector<const StageResult*> results;
      for (const std::string& stage : stages_)
        results.push_back(find_stage(run->results.stages, stage));
      for (size_t t = 0; t < run->results.targets.targets.size(); ++t) {
        const TargetInfo& target = run->results.targets.targets[t];
        const auto user = std::pair(run->set, target.user);
        const size_t unit = unit_of.try_emplace(user, unit_of.size()).first->second;
        sums_.resize(unit_of.size() * width());
        const bool in_slate = upstream.rank[t] >= 0 && size_t(upstream.rank[t]) < run->k;
        slates_ += in_slate ? 1 : 0;
        ++targets_;
        for (size_t s = 0; s < stages_.size(); ++s) {
          const Values values = metrics_of_target(*results[s], t, in_slate, run->k);
          sums_[unit * width() + s * kScopes + kAll].add(values, target.weight);
          if (in_slate) sums_[unit * width() + s * kScopes + kInSlate].add(values, target.weight);
        }
      }
    }
    units_ = unit_of.size();
  }

  size_t targets() const { return targets_; }
  size_t slates() const { return slates_; }
  size_t units() const { return units_; }

  // [stages * scopes]
  std::vector<Values> values_under(const std::vector<uint32_t>& weight) const {
    std::vector<Sum> total(width());
    for (size_t u = 0; u < units_; ++u) {
      if (weight[u] == 0) continue;
      for (size_t i = 0; i < width(); ++i) total[i].add(sums_[u * width() + i], weight[u]);
    }
    std::vector<Values> means;
    for (const Sum& sum : total) means.push_back(sum.mean());
    return means;
  }

 private:
  size_t width() const { return stages_.size() * kScopes; }

  std::vector<std::string> stages_;
  std::vector<Sum> sums_;  // [units][stages * scopes]
  size_t units_ = 0, targets_ = 0, slates_ = 0;
};

// Column `i` of exact values and resamples; minus column `base` where there is one.
MetricRow row_of(const std::vector<Values>& exact, const std::vector<std::vector<Values>>& samples,
                 size_t i, size_t base = SIZE_MAX) {
  const auto of = [&](const std::vector<Values>& values, size_t m) {
    return values[i][m] - (base == SIZE_MAX ? 0 : values[base][m]);
  };
  MetricRow row;
  for (size_t m = 0; m < kMetrics; ++m) {
    std::vector<double> drawn;
    for (const auto& sample : samples) drawn.push_back(of(sample, m));
    row[m] = estimate(of(exact, m), std::move(drawn));
  }
  return row;
}

MetricRow no_row() {
  MetricRow row;
  row.fill({kNan, kNan, kNan});
  return row;
}

PooledTable table_of(const Group& group, const MetricOptions& options, int threads) {
  const std::vector<std::string> stages = stages_of(group);
  const Pool pool(group, stages);
  const auto exact = pool.values_under(std::vector<uint32_t>(pool.units(), 1));
  std::vector<std::vector<Values>> samples(size_t(options.resamples));
  const Rng root = Rng(uint64_t(options.seed)).fork("pool");
  parallel_for(threads, samples.size(), 8, [&](size_t begin, size_t end) {
    std::vector<uint32_t> weight(pool.units());
    for (size_t b = begin; b < end; ++b) {
      resample(root.fork(b), weight);
      samples[b] = pool.values_under(weight);
    }
  });
  const auto column = [&](std::string_view stage) {
    const auto at = std::ranges::find(stages, stage) - stages.begin();
    return size_t(at) * kScopes + kInSlate;
  };
  const size_t order = column("upstream"), trees = column("trees");
  PooledTable table{"", "", group.size(), pool.targets(), pool.slates(), {}};
  for (size_t s = 0; s < stages.size(); ++s) {
    const size_t all = s * kScopes + kAll, own = s * kScopes + kInSlate;
    PooledStage row{stages[s], row_of(exact, samples, all), row_of(exact, samples, own), no_row(),
                    no_row()};
    if (own != order) row.over_order = row_of(exact, samples, own, order);
    if (own != trees && trees < exact.size()) {
      row.over_trees = row_of(exact, samples, own, trees);
    }
    table.stages.push_back(std::move(row));
  }
  return table;
}

void check_targets(const std::vector<PoolRun>& runs) {
  for (const PoolRun& run : runs) {
    if (find_stage(run.results.stages, "upstream") == nullptr) {
      throw Error(fmt::format("a run on {} has no upstream", run.set), "train it to the end");
    }
    for (const PoolRun& other : runs) {
      if (other.set != run.set || other.results.targets == run.results.targets) continue;
      throw Error(fmt::format("runs on {} have different targets", run.set),
                  "pool runs of one split of a data set");
    }
  }
}

// The trees on their own lists are the order as it came.
void add_trees(PoolRun& run) {
  if (run.order != "ranker" || find_stage(run.results.stages, "trees") != nullptr) return;
  StageResult same = *find_stage(run.results.stages, "upstream");
  same.stage = "trees";
  run.results.stages.push_back(std::move(same));
  sort_stages(run.results.stages);
}

}  // namespace

std::vector<PooledTable> pool(std::vector<PoolRun> runs, const MetricOptions& options,
                              int threads) {
  check_targets(runs);
  std::vector<std::pair<std::tuple<std::string, std::string, size_t>, Group>> groups;
  for (PoolRun& run : runs) {
    add_trees(run);
    const auto key = std::tuple(run.set, run.order, run.k);
    auto at = std::ranges::find(groups, key, [](const auto& group) { return group.first; });
    if (at == groups.end()) at = groups.insert(at, {key, {}});
    at->second.push_back(&run);
  }
  std::vector<PooledTable> tables;
  for (const auto& [key, group] : groups) {
    tables.push_back(table_of(group, options, threads));
    tables.back().set = std::get<0>(key);
    tables.back().order = fmt::format("{}, K = {}", std::get<1>(key), std::get<2>(key));
  }
  if (groups.size() < 2) return tables;
  Group all;
  for (const PoolRun& run : runs) all.push_back(&run);
  tables.push_back(table_of(all, options, threads));
  tables.back().set = tables.back().order = "all";
  return tables;
}

}  // namespace podium::eval
