#include "podium/runtime/kv_cache.h"

#include <algorithm>
#include <type_traits>

#include "podium/artifact/half.h"
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
    : bf16(half),
      element(half ? sizeof(uint16_t) : sizeof(float)),
      layers(size_t(spec.layers)),
      kv_heads(size_t(spec.kv_heads)),
      head_dim(size_t(spec.head_dim)) {
  keys_size = head_dim * kPageTokens * element;
  const size_t panels = (head_dim + kernels::kPanel - 1) / kernels::kPanel;
  head_size = keys_size + panels * kPageTokens * kernels::kPanel * element;
  size = layers * kv_heads * head_size;
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

float number(float stored) { return stored; }
float number(uint16_t stored) { return artifact::bf16_to_float(stored); }
void put(float value, float& to) { to = value; }
void put(float value, uint16_t& to) { to = kernels::to_bf16(value); }

// One token's key and value in the pages of one layer and head.
template <class Stored>
struct Slot {
  Slot(const PageLayout& layout, std::byte* page, int layer, int kv_head, size_t at)
      : keys(reinterpret_cast<Stored*>(page + layout.keys(layer, kv_head)) + at),
        values(reinterpret_cast<Stored*>(page + layout.values(layer, kv_head)) +
               at * kernels::kPanel),
        dim(layout.head_dim) {}

  Stored& key(size_t d) const { return keys[d * kPageTokens]; }

  // body(d, count, where): the value's dimensions d .. d + count, which lie together.
  template <class Body>
  void each_panel(const Body& body) const {
    for (size_t d = 0; d < dim; d += kernels::kPanel) {
      body(d, std::min(kernels::kPanel, dim - d), values + d * kPageTokens);
    }
  }

  void store(const float* from_key, const float* from_value) const {
    for (size_t d = 0; d < dim; ++d) put(from_key[d], key(d));
    each_panel([&](size_t d, size_t count, Stored* to) {
      for (size_t i = 0; i < count; ++i) put(from_value[d + i], to[i]);
    });
  }
  // to: the key, then the value.
  void read(Stored* to) const {
    for (size_t d = 0; d < dim; ++d) to[d] = key(d);
    each_panel([&](size_t d, size_t count, const Stored* from) {
      std::copy_n(from, count, to + dim + d);
    });
  }
  void write(const Stored* from, const float* cosine, const float* sine) const {
    const size_t half = dim / 2;
    for (size_t i = 0; i < half; ++i) {
      const float a = number(from[i]), b = number(from[i + half]);
      put(a * cosine[i] - b * sine[i], key(i));
      put(b * cosine[i] + a * sine[i], key(i + half));
    }
    each_panel([&](size_t d, size_t count, Stored* to) { std::copy_n(from + dim + d, count, to); });
  }

  Stored *keys, *values;  // of the token
  size_t dim;
};

// body(slot) with numbers as the layout's.
template <class Body>
void with_slot(const PageLayout& layout, std::byte* page, int layer, int kv_head, size_t at,
               const Body& body) {
  if (layout.bf16) {
    body(Slot<uint16_t>(layout, page, layer, kv_head, at));
  } else {
    body(Slot<float>(layout, page, layer, kv_head, at));
  }
}

// body(slot, bytes of the token before it) for every layer and head.
template <class Body>
void each_slot(const PageLayout& layout, std::byte* page, size_t at, const Body& body) {
  size_t offset = 0;
  for (int layer = 0; layer < int(layout.layers); ++layer) {
    for (int head = 0; head < int(layout.kv_heads); ++head) {
      with_slot(layout, page, layer, head, at, [&](const auto& slot) { body(slot, offset); });
      offset += 2 * layout.head_dim * layout.element;
    }
  }
}

}  // namespace

void KvCache::store(int layer, int kv_head, size_t place, const float* key, const float* value) {
  with_slot(layout(), pages_[place / kPageTokens].data(), layer, kv_head, place % kPageTokens,
            [&](const auto& slot) { slot.store(key, value); });
}

void KvCache::read(size_t place, std::byte* to) const {
  each_slot(layout(), pages_[place / kPageTokens].data(), place % kPageTokens,
            [&](const auto& slot, size_t offset) {
              slot.read(reinterpret_cast<decltype(slot.keys)>(to + offset));
            });
}

void KvCache::write(size_t place, const std::byte* from, const float* cosine, const float* sine) {
  each_slot(layout(), pages_[place / kPageTokens].data(), place % kPageTokens,
            [&](const auto& slot, size_t offset) {
              using Stored = std::remove_pointer_t<decltype(slot.keys)>;
              slot.write(reinterpret_cast<const Stored*>(from + offset), cosine, sine);
            });
}

}  // namespace podium::runtime
