// Items' blocks, and the beginning (rerank/prompt.h), that were read before. Such a block sees
// only itself, so its keys and values are the same for every user; only their position differs,
// and keys are turned to it when they join a sequence (the position correction of M-FALCON). Least
// recently used items go first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/runtime/model.h"
#include "podium/runtime/prefix_cache.h"

namespace podium::runtime {

// Keys, at the positions from 0 on, and values of a few tokens.
struct ItemBlock {
  // Of the whole of a sequence that begins at position 0.
  explicit ItemBlock(const KvCache& cache);

  size_t tokens;
  std::vector<std::byte> data;  // see KvCache::read
};

// Appends a block to a sequence at positions from `position` on.
void append(const Model& model, const ItemBlock& block, int position, KvCache& cache);

// Thread-safe.
class ItemCache {
 public:
  explicit ItemCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  // tokens: of an item's block. Null: not known.
  std::shared_ptr<const ItemBlock> find(std::span<const TokenId> tokens);
  void insert(std::span<const TokenId> tokens, std::shared_ptr<const ItemBlock> block);
  CacheStats stats() const;

 private:
  struct Entry {
    std::shared_ptr<const ItemBlock> block;
    std::list<const std::vector<TokenId>*>::iterator place;  // in recent_
  };

  struct Before {  // finds without a copy of the tokens
    using is_transparent = void;
    bool operator()(std::span<const TokenId> a, std::span<const TokenId> b) const {
      return std::ranges::lexicographical_compare(a, b);
    }
  };

  size_t max_bytes_;
  mutable Mutex mutex_;
  std::map<std::vector<TokenId>, Entry, Before> entries_ PODIUM_GUARDED_BY(mutex_);
  std::list<const std::vector<TokenId>*> recent_
      PODIUM_GUARDED_BY(mutex_);  // keys; most recent first
  CacheStats stats_ PODIUM_GUARDED_BY(mutex_);
};

}  // namespace podium::runtime
