// Keys and values in pages of kPageTokens tokens. A page may belong to many sequences: rollouts
// that fork from one prompt, requests of one user. Within a page, each layer and KV head has its
// keys and its values laid out as panels of packed weights (kernels/kernel_table.h), so that
// attention to a page is a packed product. In fp32, or in bf16: half the memory, and half the time
// of decoding many users at once, which reads little else.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/kernels/kernel_table.h"
#include "podium/rerank/model_spec.h"

namespace podium::runtime {

constexpr size_t kPageTokens = kernels::kPanel;

class PagePool;

struct Page {
  std::atomic<int> users{0};
  std::unique_ptr<std::byte[]> data;
};

// A share of a page; back to the pool with the last one.
class PageRef {
 public:
  PageRef() = default;
  PageRef(PagePool* pool, std::unique_ptr<Page> page);
  PageRef(const PageRef& other) : pool_(other.pool_), page_(other.page_) {
    if (page_) page_->users.fetch_add(1, std::memory_order_relaxed);
  }
  PageRef(PageRef&& other) noexcept
      : pool_(other.pool_), page_(std::exchange(other.page_, nullptr)) {}
  PageRef& operator=(PageRef other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(page_, other.page_);
    return *this;
  }
  ~PageRef();

  bool shared() const { return page_->users.load(std::memory_order_acquire) > 1; }
  std::byte* data() const { return page_->data.get(); }
  const void* id() const { return page_; }

 private:
  PagePool* pool_ = nullptr;
  Page* page_ = nullptr;
};

// Where a page keeps what, in bytes.
struct PageLayout {
  PageLayout(const rerank::ModelSpec& spec, bool bf16);

  // [head_dim, kPageTokens] at layer and head.
  size_t keys(int layer, int kv_head) const {
    return (size_t(layer) * kv_heads + size_t(kv_head)) * head_size;
  }
  // [panels of kPanel dims][kPageTokens][kPanel].
  size_t values(int layer, int kv_head) const { return keys(layer, kv_head) + keys_size; }

  // Of one token apart from any page.
  size_t token_bytes() const { return layers * kv_heads * 2 * head_dim * element; }

  bool bf16;
  size_t element;  // bytes of a number
  size_t layers, kv_heads, head_dim, keys_size, head_size, size;
};

// Recycles pages. Thread-safe; must outlive its pages.
class PagePool {
 public:
  explicit PagePool(const rerank::ModelSpec& spec, bool bf16 = false) : layout(spec, bf16) {}

  PageRef take();
  size_t page_bytes() const { return layout.size; }
  size_t pages_in_use() const { return in_use_.load(std::memory_order_relaxed); }

  const PageLayout layout;

 private:
  friend class PageRef;
  std::unique_ptr<Page> take_free();  // null: there is none
  void give_back(std::unique_ptr<Page> page);

  Mutex mutex_;
  std::vector<std::unique_ptr<Page>> free_ PODIUM_GUARDED_BY(mutex_);
  size_t made_ PODIUM_GUARDED_BY(mutex_) = 0;
  std::atomic<size_t> in_use_{0};
};

// The tokens of one sequence that the model has read. A copy is a fork: it shares the pages, and
// whoever writes into a shared page first gets a page of its own.
class KvCache {
 public:
  explicit KvCache(PagePool& pool) : pool_(&pool) {}
  // The first `length` tokens of pages that hold at least as many.
  KvCache(PagePool& pool, std::vector<PageRef> pages, size_t length)
      : pool_(&pool), pages_(std::move(pages)), length_(length) {}

  size_t length() const { return length_; }
  const std::vector<PageRef>& pages() const { return pages_; }
  const PageLayout& layout() const { return pool_->layout; }

  // Growing to that many tokens will allocate pages only.
  void expect(size_t tokens) { pages_.reserve((tokens + kPageTokens - 1) / kPageTokens); }
  // Makes room for tokens length() .. length() + count, to be stored layer by layer; advance()
  // then counts them in.
  void reserve(size_t count);
  void advance(size_t count) { length_ += count; }
  // Forgets the tokens from `length` on.
  void truncate(size_t length) { length_ = length; }
  // key, value: [head_dim].
  void store(int layer, int kv_head, size_t place, const float* key, const float* value);

  // Tokens [place, place + count), apart from their pages: [layer][kv head]{keys [head_dim][count],
  // values [count][head_dim]}, as the pages' numbers.
  void read(size_t place, size_t count, std::byte* to) const;
  // The same, the keys rotated (RoPE). cosine, sine: [head_dim / 2][count].
  void write(size_t place, size_t count, const std::byte* from, const float* cosine,
             const float* sine);

 private:
  template <class Body>
  void each_slot(size_t place, size_t count, const Body& body) const;

  PagePool* pool_;
  std::vector<PageRef> pages_;
  size_t length_ = 0;
};

}  // namespace podium::runtime
