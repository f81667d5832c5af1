#include "podium/runtime/item_cache.h"

namespace podium::runtime {

ItemBlock::ItemBlock(const KvCache& cache)
    : tokens(cache.length()), data(tokens * cache.layout().token_bytes()) {
  cache.read(0, tokens, data.data());
}

void append(const Model& model, const ItemBlock& block, int position, KvCache& cache) {
  struct Rotation {
    std::vector<float> cosine, sine;
  };
  thread_local Rotation one, all;  // of one token, of every token
  for (Rotation* rotation : {&one, &all}) {
    rotation->cosine.clear();
    rotation->sine.clear();
  }
  model.rotation_at(position, one.cosine, one.sine);
  for (size_t i = 0; i < one.cosine.size(); ++i) {
    all.cosine.insert(all.cosine.end(), block.tokens, one.cosine[i]);
    all.sine.insert(all.sine.end(), block.tokens, one.sine[i]);
  }
  cache.reserve(block.tokens);
  cache.write(cache.length(), block.tokens, block.data.data(), all.cosine.data(), all.sine.data());
  cache.advance(block.tokens);
}

std::shared_ptr<const ItemBlock> ItemCache::find(std::span<const TokenId> tokens) {
  const MutexLock lock(mutex_);
  stats_.asked += tokens.size();
  const auto at = entries_.find(tokens);
  if (at == entries_.end()) return nullptr;
  stats_.found += tokens.size();
  recent_.splice(recent_.begin(), recent_, at->second.place);
  return at->second.block;
}

void ItemCache::insert(std::span<const TokenId> tokens, std::shared_ptr<const ItemBlock> block) {
  const MutexLock lock(mutex_);
  std::list<const std::vector<TokenId>*> place = {nullptr};  // first, as there may be no memory
  const auto [at, fresh] = entries_.try_emplace({tokens.begin(), tokens.end()});
  if (!fresh) return;  // another thread read it meanwhile
  stats_.bytes += block->data.size();
  place.front() = &at->first;
  recent_.splice(recent_.begin(), place);
  at->second = {std::move(block), recent_.begin()};
  while (stats_.bytes > max_bytes_) {
    const auto oldest = entries_.find(*recent_.back());
    stats_.bytes -= oldest->second.block->data.size();
    recent_.pop_back();
    entries_.erase(oldest);
  }
}

CacheStats ItemCache::stats() const {
  const MutexLock lock(mutex_);
  return stats_;
}

}  // namespace podium::runtime
