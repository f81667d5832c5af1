#include "podium/runtime/engine.h"

#include <algorithm>
#include <exception>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/runtime/beam.h"
#include "podium/runtime/checkpoint.h"
#include "podium/runtime/decoder.h"
#include "podium/runtime/item_cache.h"

namespace podium::runtime {
namespace {

constexpr size_t kLanes = 16;    // rollouts that share a batch
constexpr size_t kSearches = 4;  // beam searches in lockstep

}  // namespace

struct Engine::Impl {
  Checkpoint owned;  // what is not packed; empty: lives elsewhere
  Model model;
  PagePool pool;
  std::unique_ptr<PrefixCache> prefixes;  // null: none are kept
  std::unique_ptr<ItemCache> items;       // null: none are kept

  Impl(const rerank::ModelSpec& spec, const WeightMap& weights, const EngineOptions& options)
      : model(spec, weights, options.precision),
        pool(spec, options.precision != kernels::Precision::kFp32) {
    if (options.prefix_bytes > 0) {
      prefixes = std::make_unique<PrefixCache>(pool, options.prefix_bytes);
    }
    if (options.item_bytes > 0) items = std::make_unique<ItemCache>(options.item_bytes);
  }
};

Engine::Engine(const rerank::ModelSpec& spec, const WeightMap& weights,
               const EngineOptions& options)
    : impl_(std::make_unique<Impl>(spec, weights, options)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine::~Engine() = default;

Engine Engine::open(const fs::path& path, const EngineOptions& options) {
  Checkpoint checkpoint = read_checkpoint(path);
  Engine engine(checkpoint.spec, checkpoint.tensors, options);
  std::erase_if(checkpoint.converted,
                [](const auto& tensor) { return tensor.first.ends_with("_proj.weight"); });
  checkpoint.tensors.clear();
  engine.impl_->owned = std::move(checkpoint);  // the data stays where it is
  return engine;
}

const rerank::ModelSpec& Engine::spec() const { return impl_->model.spec; }

CacheStats Engine::prefix_stats() const {
  return impl_->prefixes ? impl_->prefixes->stats() : CacheStats{};
}

CacheStats Engine::item_stats() const {
  return impl_->items ? impl_->items->stats() : CacheStats{};
}

std::vector<float> Engine::logits(std::span<const TokenId> tokens) const {
  const Model& model = impl_->model;
  PODIUM_CHECK(!tokens.empty());
  KvCache cache(impl_->pool);
  Workspace work;
  Chunk chunk{tokens, &cache};
  const auto states = forward(model, {&chunk, 1}, Rows::kAll, work);
  std::vector<float> result(tokens.size() * model.spec.vocab);
  work.input.assign(states.data(), tokens.size(), model.spec.hidden);
  model.all.apply(work.input, result.data());
  return result;
}

EngineParts Engine::parts() const {
  return {impl_->model, impl_->pool, impl_->prefixes.get(), impl_->items.get()};
}

std::vector<Rollout> Engine::decode(const rerank::PromptContext& context,
                                    std::span<const rerank::Slate> slates,
                                    const DecodeOptions& options, int threads) const {
  const Policy policy(parts(), context, options.with_trace && options.constrained);
  const size_t samples = size_t(std::max(1, options.samples));
  std::vector<Rollout> rollouts(slates.size() * samples);
  const size_t group = std::max<size_t>(1, kLanes / samples);
  parallel_for(threads, slates.size(), group, [&](size_t begin, size_t end) {
    RunningBatch batch(policy, {});
    std::exception_ptr failure;
    for (size_t i = begin; i < end; ++i) {
      batch.add({slates[i], options, [&, i](std::vector<Rollout> result, const auto& error) {
                   if (error) failure = error;
                   std::move(result.begin(), result.end(), rollouts.begin() + i * samples);
                 }});
    }
    while (!failure && !batch.empty()) batch.step();
    if (failure) std::rethrow_exception(failure);
  });
  return rollouts;
}

std::vector<std::vector<Retrieved>> Engine::retrieve(
    const rerank::PromptContext& context, const sid::SidTrie& trie,
    std::span<const std::span<const rerank::ItemIndex>> histories, const RetrieveOptions& options,
    int threads) const {
  PODIUM_CHECK(options.beam >= 1 && trie.levels() == context.sids.levels);
  std::vector<std::vector<Retrieved>> results(histories.size());
  const BeamTask task{impl_->model, impl_->pool, impl_->prefixes.get(), context, trie, options};
  parallel_for(threads, histories.size(), kSearches, [&](size_t begin, size_t end) {
    beam_search(task, histories.subspan(begin, end - begin),
                std::span(results).subspan(begin, end - begin));
  });
  return results;
}

}  // namespace podium::runtime
