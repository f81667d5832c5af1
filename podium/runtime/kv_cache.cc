#include "podium/runtime/kv_cache.h"

#include <algorithm>
#include <cstring>
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
  std::unique_ptr<Page> page = take_free();
  if (!page) {
    page = std::make_unique<Page>();
    page->data = std::make_unique<std::byte[]>(layout.size);  // zeros: padding is read, never used
    const MutexLock lock(mutex_);
    if (free_.capacity() <= made_) free_.reserve(2 * made_ + 1);  // giving back allocates nothing
    ++made_;
  }
  in_use_.fetch_add(1, std::memory_order_relaxed);
  return {this, std::move(page)};
}

std::unique_ptr<Page> PagePool::take_free() {
  const MutexLock lock(mutex_);
  if (free_.empty()) return nullptr;
  std::unique_ptr<Page> page = std::move(free_.back());
  free_.pop_back();
  return page;
}

void PagePool::give_back(std::unique_ptr<Page> page) {
  in_use_.fetch_sub(1, std::memory_order_relaxed);
  const MutexLock lock(mutex_);
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

// As std::copy_n, without its call for what most items' blocks have.
template <class T>
void copy_few(const T* from, size_t n, T* to) {
  if (n == 4) {
    std::memcpy(to, from, 4 * sizeof(T));
  } else {
    std::copy_n(from, n, to);
  }
}

// Of one layer and head, the places from `at` on of one page.
template <class Stored>
struct Slot {
  Slot(const PageLayout& layout, std::byte* page, int layer, int kv_head, size_t at)
      : keys(reinterpret_cast<Stored*>(page + layout.keys(layer, kv_head)) + at),
        values(reinterpret_cast<Stored*>(page + layout.values(layer, kv_head)) +
               at * kernels::kPanel),
        dim(layout.head_dim) {}

  // body(d, count, where): a value's dimensions d .. d + count, which lie together.
  template <class Body>
  void each_panel(size_t token, const Body& body) const {
    for (size_t d = 0; d < dim; d += kernels::kPanel) {
      body(d, std::min(kernels::kPanel, dim - d),
           values + d * kPageTokens + token * kernels::kPanel);
    }
  }

  void store(const float* key, const float* value) const {
    for (size_t d = 0; d < dim; ++d) put(key[d], keys[d * kPageTokens]);
    each_panel(0, [&](size_t d, size_t count, Stored* to) {
      for (size_t i = 0; i < count; ++i) put(value[d + i], to[i]);
    });
  }
  // to_keys: [head_dim][stride], to_values: [n][head_dim].
  void read(size_t n, size_t stride, Stored* to_keys, Stored* to_values) const {
    for (size_t d = 0; d < dim; ++d) std::copy_n(keys + d * kPageTokens, n, to_keys + d * stride);
    for (size_t t = 0; t < n; ++t) {
      each_panel(t, [&](size_t d, size_t count, const Stored* from) {
        std::copy_n(from, count, to_values + t * dim + d);
      });
    }
  }
  void write(size_t n, size_t stride, const Stored* from_keys, const Stored* from_values) const {
    for (size_t d = 0; d < dim; ++d) copy_few(from_keys + d * stride, n, keys + d * kPageTokens);
    for (size_t t = 0; t < n; ++t) {
      each_panel(t, [&](size_t d, size_t count, Stored* to) {
        std::copy_n(from_values + t * dim + d, count, to);
      });
    }
  }

  Stored *keys, *values;
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

// keys: [head_dim][count], rotated. Element by element, so that the compiler takes many at once.
template <class Stored>
void rotate(const Stored* keys, const float* cosine, const float* sine, size_t half, Stored* to) {
  for (size_t i = 0; i < half; ++i) {
    const float a = number(keys[i]), b = number(keys[half + i]);
    put(a * cosine[i] - b * sine[i], to[i]);
    put(b * cosine[i] + a * sine[i], to[half + i]);
  }
}

}  // namespace

// body(slot, first token, tokens, offset of the slot's keys and values in bytes) for every layer,
// head and page of tokens [place, place + count).
template <class Body>
void KvCache::each_slot(size_t place, size_t count, const Body& body) const {
  const size_t head_bytes = 2 * count * layout().head_dim * layout().element;
  size_t offset = 0;
  for (int layer = 0; layer < int(layout().layers); ++layer) {
    for (int head = 0; head < int(layout().kv_heads); ++head, offset += head_bytes) {
      for (size_t t = 0; t < count;) {
        const size_t at = (place + t) % kPageTokens, n = std::min(count - t, kPageTokens - at);
        with_slot(layout(), pages_[(place + t) / kPageTokens].data(), layer, head, at,
                  [&](const auto& slot) { body(slot, t, n, offset); });
        t += n;
      }
    }
  }
}

void KvCache::store(int layer, int kv_head, size_t place, const float* key, const float* value) {
  with_slot(layout(), pages_[place / kPageTokens].data(), layer, kv_head, place % kPageTokens,
            [&](const auto& slot) { slot.store(key, value); });
}

void KvCache::read(size_t place, size_t count, std::byte* to) const {
  each_slot(place, count, [&](const auto& slot, size_t t, size_t n, size_t offset) {
    auto* const keys = reinterpret_cast<decltype(slot.keys)>(to + offset);
    slot.read(n, count, keys + t, keys + (count + t) * slot.dim);
  });
}

void KvCache::write(size_t place, size_t count, const std::byte* from, const float* cosine,
                    const float* sine) {
  thread_local std::vector<std::byte> turned;
  each_slot(place, count, [&](const auto& slot, size_t t, size_t n, size_t offset) {
    using Stored = std::remove_pointer_t<decltype(slot.keys)>;
    const auto* const keys = reinterpret_cast<const Stored*>(from + offset);
    turned.resize(count * slot.dim * sizeof(Stored));
    auto* const to = reinterpret_cast<Stored*>(turned.data());
    if (t == 0) rotate(keys, cosine, sine, count * slot.dim / 2, to);
    slot.write(n, count, to + t, keys + (count + t) * slot.dim);
  });
}

}  // namespace podium::runtime
