#include <algorithm>
#include <cstring>

#include "podium/kernels/kernels.h"
#include "podium/runtime/forward.h"

namespace podium::runtime {
namespace {

constexpr size_t kBlock = 64;  // query tokens of a causal block: bounds the scores computed in vain

// Neighbouring chunks that share a prefix, for one KV head. Rows are (query token, query head)
// pairs: row = token * share + head, share = heads / kv_heads.
class Group {
 public:
  Group(const rerank::ModelSpec& spec, int layer, int kv_head, std::span<const Chunk> chunks,
        Rows rows, Workspace& work)
      : layer_(layer),
        kv_head_(kv_head),
        dim_(spec.head_dim),
        share_(spec.heads / spec.kv_heads),
        width_(size_t(spec.heads) * spec.head_dim),
        chunks_(chunks),
        all_(rows == Rows::kAll),
        work_(work) {
    for (const Chunk& chunk : chunks) tokens_ += queries(chunk);
  }

  size_t tokens() const { return tokens_; }

  // q, out: [tokens, heads * dim] of this group.
  void run(const float* q, float* out) {
    gather(q);
    const KvCache* prefix = chunks_.front().prefix;
    prefix_length_ = prefix ? prefix->length : 0;
    if (prefix_length_ > 0) {
      work_.prefix_scores.resize(rows() * prefix_length_);
      kernels::matmul_nt(work_.gathered.data(), prefix->keys(layer_, kv_head_),
                         work_.prefix_scores.data(), rows(), prefix_length_, dim_);
    }
    work_.output.resize(rows() * dim_);
    work_.row_sum.resize(rows());
    size_t token = 0;
    for (const Chunk& chunk : chunks_) {
      const size_t n = queries(chunk);
      for (size_t at = 0; at < n; at += kBlock) {
        own_block(chunk, chunk.own->length + chunk.tokens.size() - n + at, token + at,
                  std::min(kBlock, n - at));
      }
      token += n;
    }
    if (prefix_length_ > 0) add_prefix_values(*prefix);
    scatter(out);
  }

 private:
  size_t rows() const { return tokens_ * share_; }
  size_t queries(const Chunk& chunk) const { return all_ ? chunk.tokens.size() : 1; }

  void gather(const float* q) {
    const size_t row = share_ * dim_;
    work_.gathered.resize(tokens_ * row);
    for (size_t t = 0; t < tokens_; ++t) {
      std::memcpy(work_.gathered.data() + t * row, q + t * width_ + kv_head_ * row,
                  row * sizeof(float));
    }
  }

  // Scores, soft-max numerators and values of `count` query tokens, the first of which is at index
  // `first` of the chunk's own cache and at `token` of the group.
  void own_block(const Chunk& chunk, size_t first, size_t token, size_t count) {
    const size_t seen = first + count, begin = token * share_, n = count * share_;
    work_.own_scores.resize(n * seen);
    float* scores = work_.own_scores.data();
    kernels::matmul_nt(work_.gathered.data() + begin * dim_, chunk.own->keys(layer_, kv_head_),
                       scores, n, seen, dim_);
    for (size_t r = 0; r < n; ++r) {
      const size_t visible = first + r / share_ + 1;
      float* own = scores + r * seen;
      float* shared = work_.prefix_scores.data() + (begin + r) * prefix_length_;
      float top = kernels::max_of(own, visible);
      if (prefix_length_ > 0) top = std::max(top, kernels::max_of(shared, prefix_length_));
      work_.row_sum[begin + r] = kernels::exp_and_sum(own, visible, top);
      if (prefix_length_ > 0) {
        work_.row_sum[begin + r] += kernels::exp_and_sum(shared, prefix_length_, top);
      }
      std::fill(own + visible, own + seen, 0.0F);
    }
    kernels::matmul_nn(scores, chunk.own->values(layer_, kv_head_),
                       work_.output.data() + begin * dim_, n, dim_, seen);
  }

  void add_prefix_values(const KvCache& prefix) {
    work_.product.resize(rows() * dim_);
    kernels::matmul_nn(work_.prefix_scores.data(), prefix.values(layer_, kv_head_),
                       work_.product.data(), rows(), dim_, prefix_length_);
    for (size_t i = 0; i < work_.product.size(); ++i) work_.output[i] += work_.product[i];
  }

  void scatter(float* out) const {
    for (size_t r = 0; r < rows(); ++r) {
      const float scale = 1.0F / work_.row_sum[r];
      const float* from = work_.output.data() + r * dim_;
      float* to = out + (r / share_) * width_ + (kv_head_ * share_ + r % share_) * dim_;
      for (size_t d = 0; d < dim_; ++d) to[d] = from[d] * scale;
    }
  }

  int layer_;
  size_t kv_head_, dim_, share_, width_;
  std::span<const Chunk> chunks_;
  bool all_;
  Workspace& work_;
  size_t tokens_ = 0, prefix_length_ = 0;
};

}  // namespace

void attend(const rerank::ModelSpec& spec, int layer, std::span<const Chunk> chunks, Rows rows,
            const float* q, float* out, Workspace& work) {
  const size_t width = size_t(spec.heads) * spec.head_dim;
  for (size_t begin = 0, token = 0; begin < chunks.size();) {
    size_t end = begin + 1;
    const KvCache* prefix = chunks[begin].prefix;
    while (prefix && end < chunks.size() && chunks[end].prefix == prefix) ++end;
    size_t tokens = 0;
    for (int kv_head = 0; kv_head < spec.kv_heads; ++kv_head) {
      Group group(spec, layer, kv_head, chunks.subspan(begin, end - begin), rows, work);
      group.run(q + token * width, out + token * width);
      tokens = group.tokens();
    }
    token += tokens;
    begin = end;
  }
}

}  // namespace podium::runtime
