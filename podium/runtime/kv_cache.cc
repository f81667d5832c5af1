#include "podium/runtime/kv_cache.h"

#include <algorithm>

#include "podium/base/error.h"
#include "podium/kernels/packed_matrix.h"

namespace podium::runtime {

PageRef::PageRef(PagePool* pool, std::unique_ptr<Page> page) : pool_(pool), page_(page.release()) {
  page_->users.store(1, std::memory_order_relaxed);
}

PageRef::~PageRef() {
  if (page_ && page_->users.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    pool_->give_back(std::unique_ptr<Page>(page_));
  }
}

PageLayout::PageLayout(const rerank::ModelSpec& spec, bool half)
    : bf16(half), kv_heads(size_t(spec.kv_heads)), head_dim(size_t(spec.head_dim)) {
  const size_t element = bf16 ? sizeof(uint16_t) : sizeof(float);
  keys_size = head_dim * kPageTokens * element;
  const size_t panels = (head_dim + kernels::kPanel - 1) / kernels::kPanel;
  head_size = keys_size + panels * kPageTokens * kernels::kPanel * element;
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
  page->data = std::make_unique<std::byte[]>(layout.size);  // zeros: padding is read, never used
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

namespace {

void put(float value, float& to) { to = value; }
void put(float value, uint16_t& to) { to = kernels::to_bf16(value); }

// One token's key and value, `at` within a page.
template <class Stored>
void store_in(Stored* keys, Stored* values, size_t at, size_t dim, const float* key,
              const float* value) {
  for (size_t d = 0; d < dim; ++d) {
    put(key[d], keys[d * kPageTokens + at]);
    put(value[d], values[d / kernels::kPanel * kernels::kPanel * kPageTokens +
                         at * kernels::kPanel + d % kernels::kPanel]);
  }
}

}  // namespace

void KvCache::store(int layer, int kv_head, size_t position, const float* key, const float* value) {
  const size_t at = position % kPageTokens, dim = layout().head_dim;
  std::byte* const page = pages_[position / kPageTokens].data();
  std::byte* const keys = page + layout().keys(layer, kv_head);
  std::byte* const values = page + layout().values(layer, kv_head);
  if (layout().bf16) {
    store_in(reinterpret_cast<uint16_t*>(keys), reinterpret_cast<uint16_t*>(values), at, dim, key,
             value);
  } else {
    store_in(reinterpret_cast<float*>(keys), reinterpret_cast<float*>(values), at, dim, key, value);
  }
}

}  // namespace podium::runtime
