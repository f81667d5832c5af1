#include "podium/runtime/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "podium/base/error.h"

namespace podium::runtime {

PageRef::PageRef(PagePool* pool, std::unique_ptr<Page> page) : pool_(pool), page_(page.release()) {
  page_->users.store(1, std::memory_order_relaxed);
}

PageRef::~PageRef() {
  if (page_ && page_->users.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    pool_->give_back(std::unique_ptr<Page>(page_));
  }
}

PageLayout::PageLayout(const rerank::ModelSpec& spec)
    : kv_heads(size_t(spec.kv_heads)), head_dim(size_t(spec.head_dim)) {
  keys_size = head_dim * kPageTokens;
  const size_t panels = (head_dim + kernels::kPanel - 1) / kernels::kPanel;
  head_size = keys_size + panels * kPageTokens * kernels::kPanel;
  size = size_t(spec.layers) * kv_heads * head_size;
}

PageRef PagePool::take() {
  in_use_.fetch_add(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      PageRef page(this, std::move(free_.back()));
      free_.pop_back();
      return page;
    }
  }
  auto page = std::make_unique<Page>();
  page->data = std::make_unique<float[]>(layout.size);  // zeros: padding is read, never used
  return {this, std::move(page)};
}

void PagePool::give_back(std::unique_ptr<Page> page) {
  in_use_.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(page));
}

void KvCache::reserve(size_t count) {
  const size_t used = (length_ + kPageTokens - 1) / kPageTokens;
  pages_.resize(used);  // pages reserved before and not advanced into
  if (length_ % kPageTokens != 0 && pages_.back().shared()) {
    PageRef own = pool_->take();
    std::copy_n(pages_.back().data(), layout().size, own.data());
    pages_.back() = std::move(own);
  }
  while (pages_.size() * kPageTokens < length_ + count) pages_.push_back(pool_->take());
}

void KvCache::store(int layer, int kv_head, size_t position, const float* key, const float* value) {
  const size_t at = position % kPageTokens, dim = layout().head_dim;
  float* const page = pages_[position / kPageTokens].data();
  float* const keys = page + layout().keys(layer, kv_head);
  for (size_t d = 0; d < dim; ++d) keys[d * kPageTokens + at] = key[d];
  float* const values = page + layout().values(layer, kv_head) + at * kernels::kPanel;
  for (size_t d = 0; d < dim; d += kernels::kPanel) {
    std::memcpy(values + d * kPageTokens, value + d,
                std::min(kernels::kPanel, dim - d) * sizeof(float));
  }
}

}  // namespace podium::runtime
