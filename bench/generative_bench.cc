// What generative retrieval finds: beam search by a finished run's mid-trained policy on the
// validation targets (leave-one-out; full ranking, items seen excluded), beside the run's own
// retrievers on the same targets, and milliseconds a request on one thread.
//
//   generative_bench RUN [--beam 50] [--history 19]
//
// The policy was trained on the phase before (split.h), the retrievers on all events before the
// target.
#include <fmt/format.h>

#include "bench/measure.h"
#include "bench/run_policy.h"
#include "podium/eval/metrics.h"
#include "podium/runtime/engine.h"
#include "podium/sid/codebook.h"

namespace podium::bench {
namespace {

using kernels::Precision;

void print(const std::string& name, const std::vector<int32_t>& ranks, const std::string& more) {
  double recall = 0, ndcg = 0;
  for (const int32_t rank : ranks) {
    recall += eval::metric_of_rank(eval::kR10, rank, 10);
    ndcg += eval::metric_of_rank(eval::kN10, rank, 10);
  }
  const auto n = double(ranks.size());
  fmt::print("  {:<28} R@10 {:.4f}  N@10 {:.4f}  {}\n", name, recall / n, ndcg / n, more);
}

// Of every target's item in the list retrieved for it, -1 if it is not there.
std::vector<int32_t> ranks_of(const data::Dataset& dataset, const data::Phase& phase,
                              const std::vector<std::vector<runtime::Retrieved>>& lists) {
  std::vector<int32_t> ranks;
  for (size_t i = 0; i < lists.size(); ++i) {
    const auto wanted = dataset.items_of(phase.targets[i].user)[phase.targets[i].position];
    const auto at = std::find_if(lists[i].begin(), lists[i].end(),
                                 [&](const auto& found) { return found.item == wanted; });
    ranks.push_back(at == lists[i].end() ? -1 : int32_t(at - lists[i].begin()));
  }
  return ranks;
}

int run(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "generative_bench RUN: give the directory of a finished run\n");
    return 2;
  }
  const fs::path stages = fs::path(argv[1]) / "stages";
  const fs::path model = stages / "midtrain" / "model";
  const auto dataset = data::Dataset::open(fs::path(argv[1]) / "bundle" / "dataset");
  const auto phase = data::leave_one_out(dataset).valid;
  const RunPolicy from(model, stages / "sid");
  const sid::SidTrie trie(from.sids);
  std::vector<std::span<const data::ItemIndex>> histories;
  for (const data::Target& target : phase.targets) {
    histories.push_back(dataset.items_of(target.user).first(target.position));
  }
  fmt::print("{} targets, {} items\n", histories.size(), dataset.items());
  const runtime::RetrieveOptions options{.beam = int(argument(argc, argv, "beam", 50)),
                                         .max_history = int(argument(argc, argv, "history", 19))};
  for (const Precision precision : {Precision::kFp32, Precision::kInt8}) {
    const auto engine = runtime::Engine::open(model, {.precision = precision});
    std::vector<std::vector<runtime::Retrieved>> lists;
    const double time =
        seconds([&] { lists = engine.retrieve(from.context, trie, histories, options, 1); });
    print(fmt::format("beam {}, {}", options.beam, kernels::precision_name(precision)),
          ranks_of(dataset, phase, lists),
          fmt::format("{:.2f} ms", 1e3 * time / double(histories.size())));
  }
  const auto saved = eval::read_results(stages / "upstream" / "valid.json");
  for (const auto& stage : saved.stages) print(stage.stage, stage.rank, "");
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
