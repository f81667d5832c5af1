// Beginnings of sequences that were read or put together before, as a radix tree of pages: a user's
// history once until it changes. Least recently used leaves go first.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/runtime/kv_cache.h"
#include "podium/text/tokenizer.h"

namespace podium::runtime {

using text::TokenId;

struct CacheStats {
  uint64_t asked = 0, found = 0;  // tokens of all look-ups
  size_t bytes = 0;               // held now

  double hit_rate() const { return asked ? double(found) / double(asked) : 0; }
};

// Thread-safe.
class PrefixCache {
 public:
  PrefixCache(PagePool& pool, size_t max_bytes);

  // The longest known beginning of `tokens`, as a sequence to go on with.
  KvCache find(std::span<const TokenId> tokens);
  // Remembers that `cache` begins with `tokens`.
  void insert(std::span<const TokenId> tokens, const KvCache& cache);
  CacheStats stats() const;

 private:
  // A page: its tokens are its key among the parent's children. Only full pages have children.
  struct Node {
    std::map<std::vector<TokenId>, Node> children;
    Node* parent = nullptr;
    const std::vector<TokenId>* key = nullptr;
    PageRef page;
    std::list<Node*>::iterator place;  // in recent_
  };
  struct Match {
    Node* node = nullptr;
    size_t tokens = 0;  // that agree
  };
  static Match best_child(Node& node, std::span<const TokenId> block);
  void touch(Node& node) PODIUM_REQUIRES(mutex_);  // and what lies above it
  void remove(Node& leaf) PODIUM_REQUIRES(mutex_);
  void trim() PODIUM_REQUIRES(mutex_);

  PagePool& pool_;
  size_t max_pages_;
  mutable Mutex mutex_;
  Node root_ PODIUM_GUARDED_BY(mutex_);
  std::list<Node*> recent_
      PODIUM_GUARDED_BY(mutex_);  // most recent first; a parent stands before its children
  uint64_t asked_ PODIUM_GUARDED_BY(mutex_) = 0;
  uint64_t found_ PODIUM_GUARDED_BY(mutex_) = 0;
};

}  // namespace podium::runtime
