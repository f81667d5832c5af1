#include "podium/sequence/hstu.h"

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"
#include "podium/sequence/time_bucket.h"

namespace podium::sequence {

using kernels::PackedMatrix;

// Tokens on their way through the blocks: the events of a history, or candidates after one.
struct Hstu::Pass {
  size_t rows, first = 0;       // states are wanted from row `first` on
  bool causal;                  // events, which see those before them and themselves
  std::vector<float> x;         // [rows, dim]
  std::vector<float> uvqk;      // [rows, 4 dim]: u before SiLU, the others after it
  std::vector<float> bias;      // causal: [rows, rows]
  std::vector<uint8_t> bucket;  // causal: [rows, rows] up to the diagonal
  std::vector<float> normed, q, logits, part, mixed;
  kernels::LinearInput input;

  Pass(size_t n, size_t dim, bool of_events)
      : rows(n), causal(of_events), x(n * dim), uvqk(n * 4 * dim), normed(n * dim) {}
};

namespace {

Events newest(const Events& events, size_t n) {
  PODIUM_CHECK(events.items.size() == events.times.size());
  n = std::min(n, events.items.size());
  return {events.items.last(n), events.times.last(n), events.now};
}

// SiLU is SwiGLU with ones.
void silu(float* x, size_t n, const std::vector<float>& ones) {
  kernels::swiglu(x, ones.data(), n);
}

}  // namespace

Hstu::Hstu(const fs::path& file, kernels::Precision precision)
    : precision_(precision),
      weights_(file),
      dim_(weights_.number("dim")),
      heads_(weights_.number("heads")),
      width_(dim_ / heads_),
      max_len_(weights_.number("max_len")),
      items_(weights_, dim_),
      mixed_norm_(dim_, 1e-6F),
      norm_(weights_, "norm", dim_),
      rank_head_(weights_.tensor("rank_head", dim_)),
      ones_(std::max(3 * dim_, max_len_), 1) {
  if (dim_ % heads_ != 0) weights_.fail("'heads' does not divide 'dim'");
  const size_t blocks = weights_.number("blocks");
  for (size_t b = 0; b < blocks; ++b) {
    const std::string at = "blocks." + std::to_string(b);
    blocks_.push_back({LayerNorm(weights_, at + ".norm", dim_),
                       Linear(weights_, at + ".uvqk", 4 * dim_, dim_, precision),
                       Linear(weights_, at + ".out", dim_, dim_, precision),
                       weights_.tensor(at + ".position_bias", max_len_ + 1),
                       weights_.tensor(at + ".time_bias", kTimeBuckets)});
  }
  const uint32_t item = 0;
  const int64_t time = 0;
  if (!std::isfinite(read({{&item, 1}, {&time, 1}, 0}).user[0])) weights_.fail("not finite");
}

void Hstu::project(const Block& block, Pass& pass) const {
  block.norm.apply(pass.x.data(), pass.normed.data(), pass.rows);
  pass.input.assign(pass.normed.data(), pass.rows, dim_);
  block.uvqk.apply(pass.input, pass.uvqk.data());
  for (size_t r = 0; r < pass.rows; ++r) silu(&pass.uvqk[(4 * r + 1) * dim_], 3 * dim_, ones_);
}

HstuHistory::Block Hstu::remember(const Block& block, const Pass& pass,
                                  const Events& events) const {
  const size_t n = pass.rows;
  HstuHistory::Block kept;
  std::vector<float> keys(n * width_), values(width_ * n);
  for (size_t at = 0; at < dim_; at += width_) {
    for (size_t t = 0; t < n; ++t) {
      const float* const v = &pass.uvqk[(4 * t + 1) * dim_ + at];
      std::copy_n(&pass.uvqk[(4 * t + 3) * dim_ + at], width_, &keys[t * width_]);
      for (size_t i = 0; i < width_; ++i) values[i * n + t] = v[i] / float(max_len_);
    }
    kept.keys.emplace_back(keys.data(), n, width_, precision_);
    kept.values.emplace_back(values.data(), width_, n, precision_);
  }
  for (size_t t = 0; t < n; ++t) {
    kept.bias.push_back(block.position_bias[n - t] +
                        block.time_bias[time_bucket(events.now - events.times[t])]);
  }
  return kept;
}

// mixed = A V over the history's events, for the rows from `first` on.
void Hstu::attend(const HstuHistory::Block& history, Pass& pass) const {
  const size_t rows = pass.rows - pass.first, events = history.bias.size();
  pass.mixed.assign(rows * dim_, 0);
  if (events == 0) return;
  pass.q.resize(rows * width_);
  pass.part.resize(rows * width_);
  pass.logits.resize(rows * events);
  for (size_t head = 0; head < heads_; ++head) {
    for (size_t r = 0; r < rows; ++r) {
      const size_t row = pass.first + r;
      std::copy_n(&pass.uvqk[(4 * row + 2) * dim_ + head * width_], width_, &pass.q[r * width_]);
      std::copy_n(pass.causal ? &pass.bias[row * events] : history.bias.data(), events,
                  &pass.logits[r * events]);
    }
    pass.input.assign(pass.q.data(), rows, width_);
    history.keys[head].apply(pass.input, pass.logits.data(), /*accumulate=*/true);
    for (size_t r = 0; r < rows; ++r) {
      float* const logits = &pass.logits[r * events];
      const size_t seen = pass.causal ? pass.first + r + 1 : events;
      silu(logits, seen, ones_);
      std::fill(logits + seen, logits + events, 0.0F);
    }
    pass.input.assign(pass.logits.data(), rows, events);
    history.values[head].apply(pass.input, pass.part.data());
    for (size_t r = 0; r < rows; ++r) {
      std::copy_n(&pass.part[r * width_], width_, &pass.mixed[r * dim_ + head * width_]);
    }
  }
}

// What a candidate adds to mixed: it also sees itself, which no history holds.
void Hstu::attend_itself(const Block& block, Pass& pass) const {
  for (size_t r = 0; r < pass.rows; ++r) {
    for (size_t at = 0; at < dim_; at += width_) {
      const float* const v = &pass.uvqk[(4 * r + 1) * dim_ + at];
      const float logit = kernels::dot(v + dim_, v + 2 * dim_, width_) + block.position_bias[0] +
                          block.time_bias[0];
      kernels::axpy(kernels::silu(logit) / float(max_len_), v, &pass.mixed[r * dim_ + at], width_);
    }
  }
}

void Hstu::finish(const Block& block, Pass& pass) const {
  const size_t rows = pass.rows - pass.first;
  mixed_norm_.apply(pass.mixed.data(), pass.mixed.data(), rows);
  for (size_t r = 0; r < rows; ++r) {
    float* const u = &pass.uvqk[4 * (pass.first + r) * dim_];
    kernels::swiglu(u, &pass.mixed[r * dim_], dim_);
    std::copy_n(u, dim_, &pass.mixed[r * dim_]);
  }
  pass.input.assign(pass.mixed.data(), rows, dim_);
  block.out.apply(pass.input, &pass.x[pass.first * dim_], /*accumulate=*/true);
}

void Hstu::relate(const Block& block, const Events& events, Pass& pass) const {
  const size_t n = pass.rows;
  if (pass.bucket.empty()) {
    pass.bucket.resize(n * n);
    pass.bias.resize(n * n);
    for (size_t t = 0; t < n; ++t) {
      const int64_t asked = t + 1 < n ? events.times[t + 1] : events.now;
      for (size_t s = 0; s <= t; ++s) {
        pass.bucket[t * n + s] = uint8_t(time_bucket(asked - events.times[s]));
      }
    }
  }
  for (size_t t = pass.first; t < n; ++t) {
    for (size_t s = 0; s <= t; ++s) {
      pass.bias[t * n + s] = block.position_bias[t - s] + block.time_bias[pass.bucket[t * n + s]];
    }
  }
}

HstuHistory Hstu::read(const Events& all) const {
  const Events events = newest(all, max_len_);
  const size_t n = events.items.size();
  HstuHistory history{.blocks = {}, .user = std::vector<float>(dim_)};
  if (n == 0) {
    history.blocks.resize(blocks_.size());
    return history;
  }
  Pass pass(n, dim_, /*of_events=*/true);
  for (size_t t = 0; t < n; ++t) {
    std::copy_n(items_.row(events.items[t]).data(), dim_, &pass.x[t * dim_]);
  }
  for (const Block& block : blocks_) {
    if (&block == &blocks_.back()) pass.first = n - 1;  // of the others only keys and values
    project(block, pass);
    history.blocks.push_back(remember(block, pass, events));
    relate(block, events, pass);
    attend(history.blocks.back(), pass);
    finish(block, pass);
  }
  norm_.apply(&pass.x[(n - 1) * dim_], history.user.data(), 1);
  return history;
}

void Hstu::rank(const HstuHistory& history, std::span<const uint32_t> candidates,
                std::span<float> scores) const {
  PODIUM_CHECK(candidates.size() == scores.size() && history.blocks.size() == blocks_.size());
  Pass pass(std::min(candidates.size(), kMicroBatch), dim_, /*of_events=*/false);
  for (size_t at = 0; at < candidates.size(); at += kMicroBatch) {
    pass.rows = std::min(kMicroBatch, candidates.size() - at);
    for (size_t r = 0; r < pass.rows; ++r) {
      std::copy_n(items_.row(candidates[at + r]).data(), dim_, &pass.x[r * dim_]);
    }
    for (size_t b = 0; b < blocks_.size(); ++b) {
      project(blocks_[b], pass);
      attend(history.blocks[b], pass);
      attend_itself(blocks_[b], pass);
      finish(blocks_[b], pass);
    }
    norm_.apply(pass.x.data(), pass.normed.data(), pass.rows);
    for (size_t r = 0; r < pass.rows; ++r) {
      scores[at + r] =
          kernels::dot(rank_head_.data(), &pass.normed[r * dim_], dim_) +
          kernels::dot(history.user.data(), items_.row(candidates[at + r]).data(), dim_);
    }
  }
}

}  // namespace podium::sequence
