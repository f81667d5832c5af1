#include "podium/runtime/forward.h"

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"

namespace podium::runtime {
namespace {

using rerank::ModelSpec;

void norm_rows(const float* x, const float* weight, float* y, size_t rows, size_t dim, double eps) {
  for (size_t r = 0; r < rows; ++r) {
    kernels::rms_norm(x + r * dim, weight, y + r * dim, dim, float(eps));
  }
}

// RoPE in Hugging Face's layout: dimension i is rotated with i + head_dim / 2.
void rotate(float* head, const float* cosine, const float* sine, size_t half) {
  for (size_t i = 0; i < half; ++i) {
    const float a = head[i], b = head[i + half];
    head[i] = a * cosine[i] - b * sine[i];
    head[i + half] = b * cosine[i] + a * sine[i];
  }
}

void fill_rotation(const Model& model, Workspace& work) {
  work.cosine.clear();
  work.sine.clear();
  for (int position : work.position) model.rotation_at(position, work.cosine, work.sine);
}

// Norm (unless weight is null) and rotation of every head of every row, then a factor. x: [rows,
// heads * head_dim].
void finish_heads(const Model& model, float* x, int heads, const float* weight,
                  const Workspace& work, size_t rows, float factor) {
  const size_t dim = model.spec.head_dim, half = dim / 2;
  for (size_t r = 0; r < rows; ++r) {
    for (int head = 0; head < heads; ++head) {
      float* at = x + (r * heads + head) * dim;
      if (weight) kernels::rms_norm(at, weight, at, dim, float(model.spec.norm_eps));
      rotate(at, work.cosine.data() + r * half, work.sine.data() + r * half, half);
      for (size_t d = 0; d < dim; ++d) at[d] *= factor;
    }
  }
}

void store(const ModelSpec& spec, int layer, std::span<const Chunk> chunks, const float* k,
           const float* v) {
  const size_t dim = spec.head_dim, width = size_t(spec.kv_heads) * dim;
  size_t row = 0;
  for (const Chunk& chunk : chunks) {
    for (size_t t = 0; t < chunk.tokens.size(); ++t, ++row) {
      for (int head = 0; head < spec.kv_heads; ++head) {
        const size_t from = row * width + head * dim;
        chunk.cache->store(layer, head, chunk.cache->length() + t, k + from, v + from);
      }
    }
  }
}

// Keeps the rows of the chunks' last tokens. x: [rows, dim], in place.
template <class T>
void keep_last(std::span<const Chunk> chunks, std::vector<T>& x, size_t dim) {
  size_t row = 0;
  for (size_t c = 0; c < chunks.size(); ++c) {
    row += chunks[c].tokens.size();
    std::copy_n(x.begin() + (row - 1) * dim, dim, x.begin() + c * dim);
  }
  x.resize(chunks.size() * dim);
}

// y [outputs] += matrix [outputs, inputs] x
void add_product(const float* matrix, std::span<const float> x, size_t outputs, float* y) {
  for (size_t o = 0; o < outputs; ++o) {
    y[o] += kernels::dot(matrix + o * x.size(), x.data(), x.size());
  }
}

class Pass {
 public:
  Pass(const Model& model, std::span<Chunk> chunks, Rows rows, Workspace& work)
      : model_(model), spec_(model.spec), chunks_(chunks), rows_(rows), w_(work) {}

  std::span<const float> run() {
    embed();
    for (int layer = 0; layer < spec_.layers; ++layer) run_layer(layer);
    for (Chunk& chunk : chunks_) chunk.cache->advance(chunk.tokens.size());
    w_.h.resize(w_.x.size());
    norm_rows(w_.x.data(), model_.norm, w_.h.data(), n_, spec_.hidden, spec_.norm_eps);
    return {w_.h.data(), n_ * spec_.hidden};
  }

 private:
  void embed() {
    w_.x.clear();
    w_.position.clear();
    for (const Chunk& chunk : chunks_) {
      PODIUM_CHECK(!chunk.tokens.empty());
      chunk.cache->reserve(chunk.tokens.size());
      for (size_t t = 0; t < chunk.tokens.size(); ++t) {
        w_.x.resize(w_.x.size() + size_t(spec_.hidden));  // zeros
        add_token(chunk, chunk.tokens[t]);
        if (chunk.branches) add_embeddings(*chunk.branches, chunk.first + t);
        w_.position.push_back(chunk.branches ? chunk.branches->position[chunk.first + t]
                                             : int(chunk.cache->length() + t));
      }
      add_numbers(chunk);
    }
    n_ = w_.position.size();
    fill_rotation(model_, w_);
  }

  const float* embedding_of(TokenId token) const {
    PODIUM_CHECK(token >= 0 && token < spec_.vocab);
    return model_.embedding + size_t(token) * spec_.hidden;
  }

  float* last_row() { return w_.x.data() + w_.x.size() - spec_.hidden; }

  // To the last row, what a token is.
  void add_token(const Chunk& chunk, TokenId token) {
    const bool text = rerank::is_text(token);
    PODIUM_CHECK(!text || (chunk.texts && model_.text));
    std::copy_n(embedding_of(text ? chunk.texts->code(token) : token), spec_.hidden, last_row());
    if (!text) return;
    add_product(model_.text, chunk.texts->vector(token), size_t(spec_.hidden), last_row());
  }

  // To the last row, what is added to a token of the branches.
  void add_embeddings(const Branches& branches, size_t token) {
    const size_t begin = token * branches.added_width, end = begin + branches.added_width;
    for (size_t i = begin; i < end; ++i) {
      const TokenId added = branches.added[i];
      if (added >= 0) kernels::axpy(1, embedding_of(added), last_row(), spec_.hidden);
    }
  }

  // The names among a chunk's tokens, which are its first; they are neighbours.
  static size_t names_of(const Chunk& chunk) {
    if (!chunk.branches || chunk.first >= chunk.branches->names) return 0;
    return std::min(chunk.tokens.size(), chunk.branches->names - chunk.first);
  }

  // To the last rows, which are a chunk's, the candidates' numbers.
  void add_numbers(const Chunk& chunk) {
    const size_t names = names_of(chunk), width = size_t(spec_.numbers);
    if (names == 0 || width == 0) return;
    w_.input.assign(chunk.branches->numbers.data() + chunk.first * width, names, width);
    model_.numbers.apply(
        w_.input, w_.x.data() + w_.x.size() - chunk.tokens.size() * size_t(spec_.hidden), true);
  }

  // Of the names in the last layer's input, for choices among them.
  void keep_keys() {
    const auto hidden = size_t(spec_.hidden), width = size_t(spec_.choice);
    const float* row = w_.h.data();
    for (const Chunk& chunk : chunks_) {
      if (const size_t names = names_of(chunk)) {
        w_.input.assign(row, names, hidden);
        model_.choice_key.apply(w_.input, chunk.branches->keys.data() + chunk.first * width);
      }
      row += chunk.tokens.size() * hidden;
    }
  }

  // out = w_.input's rows times a matrix.
  void project(const kernels::PackedMatrix& matrix, std::vector<float>& out) {
    out.resize(n_ * matrix.outputs());
    matrix.apply(w_.input, out.data());
  }
  void read(const std::vector<float>& rows) { w_.input.assign(rows.data(), n_, rows.size() / n_); }

  void run_layer(int index) {
    const LayerWeights& layer = model_.layers[index];
    w_.h.resize(w_.x.size());
    norm_rows(w_.x.data(), layer.input_norm, w_.h.data(), n_, spec_.hidden, spec_.norm_eps);
    if (index + 1 == spec_.layers && spec_.reads_slates()) keep_keys();
    read(w_.h);
    project(layer.k, w_.k);
    project(layer.v, w_.v);
    finish_heads(model_, w_.k.data(), spec_.kv_heads, layer.k_norm, w_, n_, 1);
    store(spec_, index, chunks_, w_.k.data(), w_.v.data());
    const bool last_rows = index + 1 == spec_.layers && rows_ == Rows::kLast;
    if (last_rows) drop_rows();
    project(layer.q, w_.q);
    finish_heads(model_, w_.q.data(), spec_.heads, layer.q_norm, w_, n_,
                 1.0F / std::sqrt(float(spec_.head_dim)));
    w_.attended.resize(w_.q.size());
    attend(spec_, index, chunks_, last_rows ? Rows::kLast : Rows::kAll, w_.q.data(),
           w_.attended.data(), w_.attention);
    read(w_.attended);
    layer.o.apply(w_.input, w_.x.data(), true);
    feed_forward(layer);
  }

  // The last layer's output is needed of the last tokens only; its keys and values of all.
  void drop_rows() {
    keep_last(chunks_, w_.x, spec_.hidden);
    keep_last(chunks_, w_.h, spec_.hidden);
    keep_last(chunks_, w_.position, 1);
    n_ = chunks_.size();
    read(w_.h);
    fill_rotation(model_, w_);
  }

  void feed_forward(const LayerWeights& layer) {
    w_.h.resize(w_.x.size());
    norm_rows(w_.x.data(), layer.post_norm, w_.h.data(), n_, spec_.hidden, spec_.norm_eps);
    read(w_.h);
    project(layer.gate, w_.gate);
    project(layer.up, w_.up);
    kernels::swiglu(w_.gate.data(), w_.up.data(), w_.gate.size());
    read(w_.gate);
    layer.down.apply(w_.input, w_.x.data(), true);
  }

  const Model& model_;
  const ModelSpec& spec_;
  std::span<Chunk> chunks_;
  Rows rows_;
  Workspace& w_;
  size_t n_ = 0;  // rows
};

}  // namespace

std::span<const float> forward(const Model& model, std::span<Chunk> chunks, Rows rows,
                               Workspace& work) {
  PODIUM_CHECK(!chunks.empty());
  return Pass(model, chunks, rows, work).run();
}

}  // namespace podium::runtime
