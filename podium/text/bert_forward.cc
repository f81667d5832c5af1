#include "podium/text/bert_forward.h"

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/kernels/isa.h"
#include "podium/kernels/kernels.h"

namespace podium::text {
namespace {

constexpr float kNoDirection = 1e-12F;

size_t panels(size_t outputs) { return (outputs + kernels::kPanel - 1) / kernels::kPanel; }

class BertPass {
 public:
  BertPass(const BertModel& model, std::span<const std::vector<int32_t>> texts, BertWorkspace& work)
      : model_(model),
        texts_(texts),
        w_(work),
        hidden_(size_t(model.config.hidden)),
        head_(hidden_ / size_t(model.config.heads)) {}

  void run(std::span<float> vectors) {
    embed();
    for (std::vector<float>* rows : {&w_.q, &w_.k, &w_.v, &w_.attended}) {
      rows->resize(tokens_ * hidden_);
    }
    w_.inner.resize(tokens_ * size_t(model_.config.ffn));
    for (const BertLayer& layer : model_.layers) run_layer(layer);
    pool(vectors);
  }

 private:
  void embed() {
    w_.x.clear();
    for (const std::vector<int32_t>& text : texts_) {
      PODIUM_CHECK(!text.empty() && text.size() <= size_t(model_.config.max_tokens));
      for (size_t t = 0; t < text.size(); ++t) {
        PODIUM_CHECK(text[t] >= 0 && text[t] < model_.config.vocab);
        const float* word = model_.words + size_t(text[t]) * hidden_;
        w_.x.insert(w_.x.end(), word, word + hidden_);
        float* const row = w_.x.data() + w_.x.size() - hidden_;
        kernels::axpy(1, model_.positions + t * hidden_, row, hidden_);
        kernels::axpy(1, model_.type, row, hidden_);
      }
    }
    tokens_ = w_.x.size() / hidden_;
    normalise(model_.embedding_norm);
  }

  void normalise(const BertNorm& norm) {
    for (size_t t = 0; t < tokens_; ++t) {
      float* const row = w_.x.data() + t * hidden_;
      kernels::layer_norm(row, norm.weight, norm.bias, row, hidden_, model_.config.norm_eps);
    }
  }

  void read(const std::vector<float>& rows) {
    w_.input.assign(rows.data(), tokens_, rows.size() / tokens_);
  }

  void run_layer(const BertLayer& layer) {
    read(w_.x);
    layer.query.apply(w_.input, w_.q.data());
    layer.key.apply(w_.input, w_.k.data());
    layer.value.apply(w_.input, w_.v.data());
    const float scale = 1.0F / std::sqrt(float(head_));
    for (float& q : w_.q) q *= scale;
    size_t first = 0;
    for (const std::vector<int32_t>& text : texts_) {
      for (size_t at = 0; at < hidden_; at += head_) {
        attend(first * hidden_ + at, text.size());
      }
      first += text.size();
    }
    read(w_.attended);
    layer.attended.apply(w_.input, w_.x.data(), true);
    normalise(layer.attended_norm);
    read(w_.x);
    layer.inner.apply(w_.input, w_.inner.data());
    kernels::gelu(w_.inner.data(), w_.inner.size());
    read(w_.inner);
    layer.outer.apply(w_.input, w_.x.data(), true);
    normalise(layer.outer_norm);
  }

  // One head of one text of `length` tokens, whose first row's share of q, k, v begins at `at`.
  void attend(size_t at, size_t length) {
    const kernels::KernelTable& table = kernels::active_kernels();
    const size_t width = panels(length) * kernels::kPanel;
    pack(at, length);
    w_.scores.resize(length * width);
    kernels::PackedGemm score{};
    score.weight = w_.keys.data();
    score.x = w_.q.data() + at;
    score.x_stride = hidden_;
    score.y = w_.scores.data();
    score.y_stride = width;
    score.m = score.n = length;
    score.k = score.depth = head_;
    table.gemm_f32(score);
    for (size_t t = 0; t < length; ++t) soft_max(w_.scores.data() + t * width, length);
    kernels::PackedGemm mix{};
    mix.weight = w_.values.data();
    mix.x = w_.scores.data();
    mix.x_stride = width;
    mix.y = w_.attended.data() + at;
    mix.y_stride = hidden_;
    mix.m = mix.k = mix.depth = length;
    mix.n = head_;
    table.gemm_f32(mix);
  }

  void soft_max(float* scores, size_t n) const {
    const float sum = kernels::exp_and_sum(scores, n, kernels::max_of(scores, n));
    const float scale = 1.0F / sum;
    for (size_t i = 0; i < n; ++i) scores[i] *= scale;
  }

  // Keys as weights [length, head], values as weights [head, length] (kernel_table.h).
  void pack(size_t at, size_t length) {
    constexpr size_t kPanel = kernels::kPanel;
    w_.keys.resize(panels(length) * kPanel * head_);
    w_.values.resize(panels(head_) * kPanel * length);
    for (size_t t = 0; t < length; ++t) {
      const float* const key = w_.k.data() + at + t * hidden_;
      const float* const value = w_.v.data() + at + t * hidden_;
      for (size_t d = 0; d < head_; ++d) {
        w_.keys[(t / kPanel * head_ + d) * kPanel + t % kPanel] = key[d];
        w_.values[(d / kPanel * length + t) * kPanel + d % kPanel] = value[d];
      }
    }
  }

  void pool(std::span<float> vectors) const {
    const float* row = w_.x.data();
    for (size_t i = 0; i < texts_.size(); ++i) {
      float* const vector = vectors.data() + i * hidden_;
      std::fill_n(vector, hidden_, 0.0F);
      for (size_t t = 0; t < texts_[i].size(); ++t, row += hidden_) {
        kernels::axpy(1, row, vector, hidden_);
      }
      // The mean's length goes with its own: only the sum's is needed.
      const float length = std::sqrt(kernels::dot(vector, vector, hidden_));
      const float scale = length > kNoDirection ? 1 / length : 0;
      for (size_t d = 0; d < hidden_; ++d) vector[d] *= scale;
    }
  }

  const BertModel& model_;
  std::span<const std::vector<int32_t>> texts_;
  BertWorkspace& w_;
  size_t hidden_, head_;
  size_t tokens_ = 0;
};

}  // namespace

void bert_forward(const BertModel& model, std::span<const std::vector<int32_t>> texts,
                  std::span<float> vectors, BertWorkspace& work) {
  PODIUM_CHECK(!texts.empty() && vectors.size() == texts.size() * size_t(model.config.hidden));
  BertPass(model, texts, work).run(vectors);
}

}  // namespace podium::text
