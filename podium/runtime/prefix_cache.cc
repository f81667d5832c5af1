#include "podium/runtime/prefix_cache.h"

#include <algorithm>

#include "podium/base/error.h"

namespace podium::runtime {
namespace {

size_t agreement(std::span<const TokenId> a, std::span<const TokenId> b) {
  const size_t most = std::min(a.size(), b.size());
  return size_t(std::mismatch(a.begin(), a.begin() + most, b.begin()).first - a.begin());
}

}  // namespace

PrefixCache::PrefixCache(PagePool& pool, size_t max_bytes)
    : pool_(pool), max_pages_(max_bytes / pool.page_bytes()) {}

// In lexicographic order the key with the longest common beginning is a neighbour.
PrefixCache::Match PrefixCache::best_child(Node& node, std::span<const TokenId> block) {
  Match best;
  const auto consider = [&](auto at) {
    const size_t same = agreement(at->first, block);
    if (same > best.tokens) best = {&at->second, same};
  };
  const auto after = node.children.lower_bound({block.begin(), block.end()});
  if (after != node.children.end()) consider(after);
  if (after != node.children.begin()) consider(std::prev(after));
  return best;
}

void PrefixCache::touch(Node& node) {
  for (Node* at = &node; at != &root_; at = at->parent) {
    recent_.splice(recent_.begin(), recent_, at->place);
  }
}

KvCache PrefixCache::find(std::span<const TokenId> tokens) {
  const MutexLock lock(mutex_);
  std::vector<PageRef> pages;
  size_t length = 0;
  Node* node = &root_;
  while (length < tokens.size()) {
    const auto block = tokens.subspan(length, std::min(kPageTokens, tokens.size() - length));
    const Match match = best_child(*node, block);
    if (!match.node) break;
    node = match.node;
    pages.push_back(node->page);
    length += match.tokens;
    if (match.tokens < kPageTokens) break;
  }
  touch(*node);
  asked_ += tokens.size();
  found_ += length;
  return {pool_, std::move(pages), length};
}

void PrefixCache::insert(std::span<const TokenId> tokens, const KvCache& cache) {
  PODIUM_CHECK(cache.length() >= tokens.size());
  const MutexLock lock(mutex_);
  Node* node = &root_;
  for (size_t at = 0; at < tokens.size(); at += kPageTokens) {
    const auto block = tokens.subspan(at, std::min(kPageTokens, tokens.size() - at));
    const Match match = best_child(*node, block);
    if (match.tokens == block.size()) {  // known, or a part of what is known
      node = match.node;
      continue;
    }
    if (match.node && match.tokens == match.node->key->size()) remove(*match.node);  // outgrown
    std::list<Node*> place = {nullptr};  // before the tree changes, as there may be no memory
    const auto child = node->children.try_emplace({block.begin(), block.end()}).first;
    child->second.parent = node;
    child->second.key = &child->first;
    child->second.page = cache.pages()[at / kPageTokens];
    node = place.front() = &child->second;
    recent_.splice(recent_.begin(), place);
    node->place = recent_.begin();
  }
  touch(*node);
  trim();
}

void PrefixCache::remove(Node& leaf) {
  recent_.erase(leaf.place);
  auto& children = leaf.parent->children;
  children.erase(children.find(*leaf.key));
}

void PrefixCache::trim() {
  while (recent_.size() > max_pages_) remove(*recent_.back());
}

CacheStats PrefixCache::stats() const {
  const MutexLock lock(mutex_);
  return {asked_, found_, recent_.size() * pool_.page_bytes()};
}

}  // namespace podium::runtime
