#include "podium/train/policy_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "podium/base/error.h"

namespace podium::train {
namespace {

using rerank::Slate;

}  // namespace

SlateSets read_slate_sets(const fs::path& dir, const fs::path& valid_dir) {
  SlateSets sets;
  for (Slate& slate : rerank::read_slates(dir)) {
    if (!slate.can_be_ranked()) continue;
    const bool held_out = valid_dir.empty() && stable_hash(slate.id) % 10 == 0;
    (held_out ? sets.valid : sets.train).push_back(std::move(slate));
  }
  if (!valid_dir.empty()) {
    for (Slate& slate : rerank::read_slates(valid_dir)) {
      if (slate.can_be_ranked()) sets.valid.push_back(std::move(slate));
    }
  }
  if (sets.train.empty()) {
    throw Error("no slate has both a positive and a negative candidate",
                "check the upstream stage: its candidates miss every target", dir.string());
  }
  return sets;
}

Slate maybe_shuffled(const Slate& slate, double share, Rng& rng) {
  Slate copy = slate;
  if (rng.uniform() < share) rng.shuffle(std::span(copy.candidates));
  return copy;
}

Slate equals_permuted(const Slate& slate, Rng& rng) {
  std::map<rerank::Evidence, std::vector<size_t>> places;
  for (size_t i = 0; i < slate.candidates.size(); ++i) {
    places[slate.candidates[i].evidence].push_back(i);
  }
  Slate copy = slate;
  for (const auto& [evidence, from] : places) {
    std::vector<size_t> to = from;
    rng.shuffle(std::span(to));
    for (size_t i = 0; i < from.size(); ++i) copy.candidates[to[i]] = slate.candidates[from[i]];
  }
  return copy;
}

Qwen3 start_policy(const fs::path& dir, const rerank::PromptWorld& world, const SlateSets& slates,
                   uint64_t seed) {
  const size_t numbers = slates.train.empty() ? 0 : slates.train.front().numbers();
  Qwen3 policy = for_slates(load_policy(dir), int(world.prompts.text_width), int(numbers), seed);
  if (policy->spec.vocab == world.tokenizer.vocab()) return policy;
  throw Error("the model's vocabulary is not its tokenizer's", "run mid-training again",
              dir.string());
}

std::vector<size_t> permutation(size_t n, uint64_t seed, uint64_t epoch) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  Rng rng = Rng(seed).fork("order").fork(epoch);
  rng.shuffle(std::span(order));
  return order;
}

}  // namespace podium::train
