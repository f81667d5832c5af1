#include "podium/runtime/attention.h"

#include <algorithm>
#include <cstring>

#include "podium/base/error.h"
#include "podium/kernels/isa.h"

namespace podium::runtime {
namespace {

constexpr size_t kGroupTokens = 32;  // of a piece, and of a group: their scores stay near

// What a piece's tokens see: the smallest run of places around each kind of it.
void find_hulls(Piece& piece) {
  const Branches& branches = *piece.branches;
  const size_t width = branches.width;
  PODIUM_CHECK(width <= Branches::kMaxRuns);
  piece.hull_count = width + 2;
  std::fill_n(piece.hulls.begin(), piece.hull_count, Branches::Run{UINT32_MAX, 0});
  const auto widen = [&](size_t i, uint32_t begin, uint32_t end) {
    auto& hull = piece.hulls[i];
    hull = {std::min(hull.begin, begin), std::max(hull.end, end)};
  };
  for (size_t t = piece.first; t < piece.first + piece.count; ++t) {
    widen(width, 0, branches.trunk[t]);
    for (size_t i = 0; i < width; ++i) {
      const Branches::Run& run = branches.runs[t * width + i];
      if (run.begin < run.end) widen(i, run.begin, run.end);
    }
  }
  piece.hulls[width + 1] = {uint32_t(piece.seen - piece.count), uint32_t(piece.seen)};
}

// Whether any token of the piece may see a place of the page.
bool sees(const Piece& piece, size_t page) {
  if (!piece.branches) return true;
  const size_t begin = page * kPageTokens, end = begin + kPageTokens;
  return std::any_of(piece.hulls.begin(), piece.hulls.begin() + ptrdiff_t(piece.hull_count),
                     [&](const auto& hull) { return hull.begin < end && hull.end > begin; });
}

// The attention of a group for one KV head. row = query token * share + head, where share = heads /
// kv_heads query heads read the same keys.
class Group {
 public:
  Group(const rerank::ModelSpec& spec, int layer, int kv_head, std::span<const Piece> pieces,
        size_t common_pages, AttentionSpace& space)
      : table_(kernels::active_kernels()),
        layer_(layer),
        kv_head_(kv_head),
        dim_(spec.head_dim),
        share_(spec.heads / spec.kv_heads),
        width_(size_t(spec.heads) * spec.head_dim),
        pieces_(pieces),
        common_pages_(common_pages),
        space_(space),
        multiply_(pieces.front().cache->layout().bf16 ? table_.gemm_bf16 : table_.gemm_f32) {
    for (const Piece& piece : pieces) {
      tokens_ += piece.count;
      stride_ = std::max(stride_, (piece.seen + kPageTokens - 1) / kPageTokens * kPageTokens);
    }
  }

  // q, out: [tokens, heads * dim] of this group.
  void run(const float* q, float* out) {
    gather(q);
    space_.scores.resize(rows() * stride_);
    space_.output.resize(rows() * dim_);
    space_.sums.resize(rows());
    each_page([&](const PageOfRows& rows) { score(rows); });
    soft_max();
    each_page([&](const PageOfRows& rows) { add_values(rows); });
    scatter(out);
  }

 private:
  size_t rows() const { return tokens_ * share_; }

  // A page, and the neighbouring rows that attend to it together.
  struct PageOfRows {
    const KvCache& cache;
    size_t page, row, count;  // count rows, from `row` on
    size_t used;              // places of the page that hold tokens
    bool first;               // of these rows' pages
  };

  // Common pages once for all rows, then every piece's own.
  template <class Body>
  void each_page(const Body& body) const {
    for (size_t page = 0; page < common_pages_; ++page) {
      body(PageOfRows{*pieces_.front().cache, page, 0, rows(), kPageTokens, page == 0});
    }
    size_t row = 0;
    for (const Piece& piece : pieces_) {
      bool first = common_pages_ == 0;
      for (size_t page = common_pages_; page * kPageTokens < piece.seen; ++page) {
        if (!sees(piece, page)) continue;
        const size_t used = std::min(kPageTokens, piece.seen - page * kPageTokens);
        body(PageOfRows{*piece.cache, page, row, piece.count * share_, used, first});
        first = false;
      }
      row += piece.count * share_;
    }
  }

  void gather(const float* q) {
    const size_t row = share_ * dim_;
    space_.queries.resize(tokens_ * row);
    for (size_t t = 0; t < tokens_; ++t) {
      std::memcpy(space_.queries.data() + t * row, q + t * width_ + kv_head_ * row,
                  row * sizeof(float));
    }
  }

  void score(const PageOfRows& at) {
    kernels::PackedGemm g{};
    g.weight = at.cache.pages()[at.page].data() + at.cache.layout().keys(layer_, int(kv_head_));
    g.x = space_.queries.data() + at.row * dim_;
    g.x_stride = dim_;
    g.y = space_.scores.data() + at.row * stride_ + at.page * kPageTokens;
    g.y_stride = stride_;
    g.m = at.count;
    g.n = kPageTokens;
    g.k = g.depth = dim_;
    multiply_(g);
  }

  void soft_max() {
    size_t row = 0;
    for (const Piece& piece : pieces_) {
      for (size_t r = 0; r < piece.count * share_; ++r, ++row) {
        float* const scores = space_.scores.data() + row * stride_;
        if (piece.branches) {
          space_.sums[row] = branch_soft_max(piece, r / share_, scores);
          continue;
        }
        const size_t visible = piece.seen - piece.count + r / share_ + 1;
        const float top = table_.max_of(scores, visible);
        space_.sums[row] = table_.exp_and_sum(scores, visible, top);
        std::fill(scores + visible, scores + piece.seen, 0.0F);
      }
    }
  }

  // Of the piece's token t, which sees the trunk, runs after it and itself. What follows the trunk
  // is gathered, so that one call takes it all, and put back. Returns the sum of exponentials.
  float branch_soft_max(const Piece& piece, size_t t, float* scores) {
    const Branches& branches = *piece.branches;
    const size_t trunk = branches.trunk[piece.first + t];
    const auto* const runs = branches.runs.data() + (piece.first + t) * branches.width;
    const size_t own = piece.seen - piece.count + t;
    std::vector<float>& branch = space_.branch;
    branch.clear();
    for (size_t i = 0; i < branches.width; ++i) {
      branch.insert(branch.end(), scores + runs[i].begin, scores + runs[i].end);
    }
    branch.push_back(scores[own]);
    float top = table_.max_of(branch.data(), branch.size());
    if (trunk > 0) top = std::max(top, table_.max_of(scores, trunk));
    const float sum = table_.exp_and_sum(scores, trunk, top) +
                      table_.exp_and_sum(branch.data(), branch.size(), top);
    std::fill(scores + trunk, scores + piece.seen, 0.0F);
    const float* next = branch.data();
    for (size_t i = 0; i < branches.width; ++i) {
      const size_t size = runs[i].end - runs[i].begin;
      std::copy_n(next, size, scores + runs[i].begin);
      next += size;
    }
    scores[own] = *next;
    return sum;
  }

  void add_values(const PageOfRows& at) {
    kernels::PackedGemm g{};
    g.weight = at.cache.pages()[at.page].data() + at.cache.layout().values(layer_, int(kv_head_));
    g.depth = kPageTokens;
    g.x = space_.scores.data() + at.row * stride_ + at.page * kPageTokens;
    g.x_stride = stride_;
    g.y = space_.output.data() + at.row * dim_;
    g.y_stride = dim_;
    g.m = at.count;
    g.n = dim_;
    g.k = at.used;
    g.accumulate = !at.first;
    multiply_(g);
  }

  void scatter(float* out) const {
    for (size_t r = 0; r < rows(); ++r) {
      const float scale = 1.0F / space_.sums[r];
      const float* from = space_.output.data() + r * dim_;
      float* to = out + (r / share_) * width_ + (kv_head_ * share_ + r % share_) * dim_;
      for (size_t d = 0; d < dim_; ++d) to[d] = from[d] * scale;
    }
  }

  const kernels::KernelTable& table_;
  int layer_;
  size_t kv_head_, dim_, share_, width_;
  std::span<const Piece> pieces_;
  size_t common_pages_;
  AttentionSpace& space_;
  void (*multiply_)(const kernels::PackedGemm& g);
  size_t tokens_ = 0, stride_ = 0;
};

// Full pages that two sequences begin with, before their pieces' own tokens.
size_t common_pages(const Piece& a, const Piece& b) {
  const size_t most = std::min(a.seen - a.count, b.seen - b.count) / kPageTokens;
  size_t same = 0;
  while (same < most && a.cache->pages()[same].id() == b.cache->pages()[same].id()) ++same;
  return same;
}

// A chunk's pieces; tokens that see other trunks are apart.
void cut(const Chunk& chunk, Rows rows, std::vector<Piece>& pieces) {
  const size_t length = chunk.cache->length(), all = chunk.tokens.size();
  for (size_t at = rows == Rows::kLast ? all - 1 : 0; at < all;) {
    size_t count = std::min(kGroupTokens, all - at);
    Piece piece{chunk.cache, count, 0, chunk.branches, chunk.first + at};
    if (chunk.branches) {
      const auto trunk = chunk.branches->trunk.begin() + ptrdiff_t(piece.first);
      count = size_t(std::find_if(trunk, trunk + ptrdiff_t(count),
                                  [&](uint32_t other) { return other != *trunk; }) -
                     trunk);
    }
    piece.count = count;
    piece.seen = length + at + count;
    if (chunk.branches) find_hulls(piece);
    pieces.push_back(piece);
    at += count;
  }
}

}  // namespace

void attend(const rerank::ModelSpec& spec, int layer, std::span<const Chunk> chunks, Rows rows,
            const float* q, float* out, AttentionSpace& space) {
  const size_t width = size_t(spec.heads) * spec.head_dim;
  std::vector<Piece>& pieces = space.pieces;
  pieces.clear();
  for (const Chunk& chunk : chunks) cut(chunk, rows, pieces);
  for (size_t begin = 0, token = 0; begin < pieces.size();) {
    size_t end = begin + 1, tokens = pieces[begin].count, common = 0;
    // A neighbour joins while that leaves every page in common but those being written.
    while (end < pieces.size() && tokens + pieces[end].count <= kGroupTokens) {
      const size_t same = common_pages(pieces[begin], pieces[end]);
      if (same == 0 || (end > begin + 1 && same < common)) break;
      if (end == begin + 1) common = same;
      tokens += pieces[end++].count;
    }
    for (int kv_head = 0; kv_head < spec.kv_heads; ++kv_head) {
      Group group(spec, layer, kv_head, std::span(pieces).subspan(begin, end - begin), common,
                  space);
      group.run(q + token * width, out + token * width);
    }
    token += tokens;
    begin = end;
  }
}

}  // namespace podium::runtime
