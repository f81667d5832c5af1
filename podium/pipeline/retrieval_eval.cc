#include "podium/pipeline/retrieval_eval.h"

#include <algorithm>
#include <chrono>

#include "podium/base/progress.h"
#include "podium/rerank/prompt_world.h"
#include "podium/runtime/engine.h"

namespace podium::pipeline {
namespace {

using Lists = std::vector<std::vector<runtime::Retrieved>>;

constexpr size_t kHistories = 128;  // histories between two looks at the interrupt flag

// Those of the targets from `first` on.
void add_lists(const Lists& lists, const data::Phase& phase, size_t first, size_t listed,
               eval::StageResult& result) {
  for (size_t i = 0; i < lists.size(); ++i) {
    const auto wanted = phase.answers(first + i);
    std::vector<data::ItemIndex> items;
    for (const runtime::Retrieved& found : lists[i]) items.push_back(found.item);
    const auto at = std::ranges::find_first_of(items, wanted);
    result.rank.push_back(at == items.end() ? -1 : int32_t(at - items.begin()));
    items.resize(std::min(items.size(), listed));
    result.lists.push_back(std::move(items));
  }
}

}  // namespace

eval::StageResult retrieve_by_policy(const data::Dataset& dataset, const data::Phase& phase,
                                     const RetrievalRequest& request) {
  const rerank::PromptWorld world(dataset, request.sid, request.policy / "tokenizer.json", {});
  const auto engine =
      runtime::Engine::open(request.policy, {.precision = runtime::kServedPrecision});
  const sid::SidTrie trie(world.sids);
  const std::span<const data::Target> targets = phase.targets;
  eval::StageResult result;
  result.stage = "generative";
  Progress progress("beam search, phase " + phase.name, targets.size(), "targets");
  const auto start = std::chrono::steady_clock::now();
  for (size_t begin = 0; begin < targets.size(); begin += kHistories) {
    stop_if_interrupted("run the same command again");
    const auto part = targets.subspan(begin, std::min(kHistories, targets.size() - begin));
    std::vector<std::span<const data::ItemIndex>> histories;
    for (const data::Target& target : part) {
      histories.push_back(dataset.items_of(target.user).first(target.position));
    }
    add_lists(engine.retrieve(world.prompts, trie, histories, request.options, request.threads),
              phase, begin, request.listed, result);
    progress.add(part.size());
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (!targets.empty()) {
    result.milliseconds = took.count() * request.threads / double(targets.size());
  }
  return result;
}

}  // namespace podium::pipeline
