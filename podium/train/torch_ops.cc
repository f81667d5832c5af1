#include "podium/train/torch_ops.h"

#include <algorithm>
#include <cmath>

#include "podium/kernels/kernels.h"

namespace podium::train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

class RmsNorm : public torch::autograd::Function<RmsNorm> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        double eps) {
    const Tensor inverse = x.square().mean(-1, true).add_(eps).rsqrt_();  // [rows, 1]
    context->save_for_backward({x, weight, inverse});
    return (x * inverse).mul_(weight);
  }

  static tensor_list backward(AutogradContext* context, tensor_list grads) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &inverse = saved[2];
    const Tensor normed = x * inverse;
    const Tensor weight_grad = (grads[0] * normed).sum(0);
    const Tensor scaled = grads[0] * weight;
    const Tensor along = (scaled * normed).mean(-1, true);
    return {(scaled - normed * along).mul_(inverse), weight_grad, Tensor()};
  }
};

// direction 1 turns by the angle, -1 back: the gradient of a rotation is its inverse.
Tensor turned(const Tensor& x, const Tensor& cosine, const Tensor& sine, float direction) {
  Tensor y = torch::empty_like(x);
  const int64_t tokens = x.size(0), heads = x.size(1), dim = x.size(2), half = dim / 2;
  const float *from = x.data_ptr<float>(), *c = cosine.data_ptr<float>(),
              *s = sine.data_ptr<float>();
  float* to = y.data_ptr<float>();
  for (int64_t t = 0; t < tokens; ++t, c += half, s += half) {
    for (int64_t h = 0; h < heads; ++h, from += dim, to += dim) {
      for (int64_t i = 0; i < half; ++i) {
        const float a = from[i], b = from[i + half], turn = s[i] * direction;
        to[i] = a * c[i] - b * turn;
        to[i + half] = b * c[i] + a * turn;
      }
    }
  }
  return y;
}

class Rotate : public torch::autograd::Function<Rotate> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& cosine,
                        const Tensor& sine) {
    context->save_for_backward({cosine, sine});
    return turned(x.contiguous(), cosine, sine, 1);
  }

  static tensor_list backward(AutogradContext* context, tensor_list grads) {
    const auto saved = context->get_saved_variables();
    return {turned(grads[0].contiguous(), saved[0], saved[1], -1), Tensor(), Tensor()};
  }
};

// Where a segment's rows lie in head-major memory [heads, tokens, dim].
struct Shape {
  int64_t tokens, heads, kv_heads, dim;

  int64_t kv_of(int64_t head) const { return head * kv_heads / heads; }
  int64_t at(int64_t head, int64_t token) const { return (head * tokens + token) * dim; }
};

int64_t own_of(const Segment& s) { return s.own.size(); }
std::array<Range, 3> context_runs(const Segment& s) { return {s.before[0], s.before[1], s.own}; }
int64_t context_of(const Segment& s) { return s.before[0].size() + s.before[1].size() + own_of(s); }

// The rows that a segment sees, of one head, back to back: [context, dim].
void gather(const Shape& shape, const Segment& s, int64_t head, const float* from,
            std::vector<float>& to) {
  to.resize(size_t(context_of(s) * shape.dim));
  float* next = to.data();
  for (const Range& run : context_runs(s)) {
    const float* rows = from + shape.at(head, run.begin);
    next = std::copy(rows, rows + run.size() * shape.dim, next);
  }
}

void scatter_add(const Shape& shape, const Segment& s, int64_t head, const std::vector<float>& from,
                 float* to) {
  const float* next = from.data();
  for (const Range& run : context_runs(s)) {
    const auto count = size_t(run.size() * shape.dim);
    kernels::axpy(1, next, to + shape.at(head, run.begin), count);
    next += count;
  }
}

// scores [own, context] to weights: row i sees the prefix and own tokens 0..i.
void causal_softmax(const Segment& s, float scale, float* scores) {
  const int64_t own = own_of(s), context = context_of(s), prefix = context - own;
  for (int64_t i = 0; i < own; ++i, scores += context) {
    const auto seen = size_t(prefix + i + 1);
    for (size_t j = 0; j < seen; ++j) scores[j] *= scale;
    const float sum = kernels::exp_and_sum(scores, seen, kernels::max_of(scores, seen));
    const float inverse = 1 / sum;
    for (size_t j = 0; j < seen; ++j) scores[j] *= inverse;
    std::fill(scores + seen, scores + context, 0.0F);
  }
}

// weights, grads [own, context]: grads becomes the gradient of the unscaled scores.
void softmax_backward(const Segment& s, float scale, const float* weights, float* grads) {
  const int64_t own = own_of(s), context = context_of(s), prefix = context - own;
  for (int64_t i = 0; i < own; ++i, weights += context, grads += context) {
    const auto seen = size_t(prefix + i + 1);
    const float along = kernels::dot(weights, grads, seen);
    for (size_t j = 0; j < seen; ++j) grads[j] = weights[j] * (grads[j] - along) * scale;
    std::fill(grads + seen, grads + context, 0.0F);
  }
}

int64_t weights_size(const Shape& shape, const std::vector<Segment>& segments) {
  int64_t size = 0;
  for (const Segment& s : segments) size += shape.heads * own_of(s) * context_of(s);
  return size;
}

Tensor head_major(const Tensor& x) { return x.transpose(0, 1).contiguous(); }

Tensor to_tensor(const std::vector<Segment>& segments) {
  Tensor packed = torch::empty({int64_t(segments.size()), 6}, torch::kLong);
  int64_t* to = packed.data_ptr<int64_t>();
  for (const Segment& s : segments) {
    for (const Range& run : context_runs(s)) {
      *to++ = run.begin;
      *to++ = run.end;
    }
  }
  return packed;
}

std::vector<Segment> from_tensor(const Tensor& packed) {
  std::vector<Segment> segments;
  const int64_t* from = packed.data_ptr<int64_t>();
  for (int64_t i = 0; i < packed.size(0); ++i, from += 6) {
    segments.push_back({{from[4], from[5]}, {{{from[0], from[1]}, {from[2], from[3]}}}});
  }
  return segments;
}

// Buffers of one segment's backward pass.
struct Scratch {
  std::vector<float> keys, values, key_grads, value_grads, score_grads, part;
};

// One query head: q_grad is written, key and value gradients of the shared head are added to.
void head_backward(const Shape& shape, const Segment& s, const float* q, const float* out_grad,
                   const float* weights, float* q_grad, Scratch& work) {
  const size_t own = size_t(own_of(s)), all = size_t(context_of(s)), dim = size_t(shape.dim);
  work.score_grads.resize(own * all);
  work.part.resize(all * dim);
  kernels::matmul_tn(weights, out_grad, work.part.data(), all, dim, own);
  kernels::axpy(1, work.part.data(), work.value_grads.data(), all * dim);
  kernels::matmul_nt(out_grad, work.values.data(), work.score_grads.data(), own, all, dim);
  softmax_backward(s, 1 / std::sqrt(float(dim)), weights, work.score_grads.data());
  kernels::matmul_nn(work.score_grads.data(), work.keys.data(), q_grad, own, dim, all);
  kernels::matmul_tn(work.score_grads.data(), q, work.part.data(), all, dim, own);
  kernels::axpy(1, work.part.data(), work.key_grads.data(), all * dim);
}

class PackedAttention : public torch::autograd::Function<PackedAttention> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& q_in, const Tensor& k_in,
                        const Tensor& v_in, const Tensor& packed_segments) {
    const Tensor q = head_major(q_in), k = head_major(k_in), v = head_major(v_in);
    const Shape shape{q.size(1), q.size(0), k.size(0), q.size(2)};
    const std::vector<Segment> segments = from_tensor(packed_segments);
    Tensor out = torch::empty_like(q);
    Tensor weights = torch::empty({weights_size(shape, segments)}, q.options());
    float* w = weights.data_ptr<float>();
    std::vector<float> keys, values;
    for (const Segment& s : segments) {
      const size_t own = size_t(own_of(s)), all = size_t(context_of(s)), dim = size_t(shape.dim);
      for (int64_t head = 0; head < shape.heads; ++head, w += own * all) {
        gather(shape, s, shape.kv_of(head), k.data_ptr<float>(), keys);
        gather(shape, s, shape.kv_of(head), v.data_ptr<float>(), values);
        const int64_t at = shape.at(head, s.own.begin);
        kernels::matmul_nt(q.data_ptr<float>() + at, keys.data(), w, own, all, dim);
        causal_softmax(s, 1 / std::sqrt(float(dim)), w);
        kernels::matmul_nn(w, values.data(), out.data_ptr<float>() + at, own, dim, all);
      }
    }
    context->save_for_backward({q, k, v, weights, packed_segments});
    return out.transpose(0, 1).contiguous();
  }

  static tensor_list backward(AutogradContext* context, tensor_list grads) {
    const auto saved = context->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2];
    const Tensor out_grad = head_major(grads[0]);
    const Shape shape{q.size(1), q.size(0), k.size(0), q.size(2)};
    Tensor q_grad = torch::empty_like(q);
    Tensor k_grad = torch::zeros_like(k), v_grad = torch::zeros_like(v);
    const float* w = saved[3].data_ptr<float>();
    Scratch work;
    for (const Segment& s : from_tensor(saved[4])) {
      for (int64_t head = 0; head < shape.heads; ++head, w += own_of(s) * context_of(s)) {
        const int64_t kv = shape.kv_of(head), at = shape.at(head, s.own.begin);
        gather(shape, s, kv, k.data_ptr<float>(), work.keys);
        gather(shape, s, kv, v.data_ptr<float>(), work.values);
        work.key_grads.assign(work.keys.size(), 0);
        work.value_grads.assign(work.values.size(), 0);
        head_backward(shape, s, q.data_ptr<float>() + at, out_grad.data_ptr<float>() + at, w,
                      q_grad.data_ptr<float>() + at, work);
        scatter_add(shape, s, kv, work.key_grads, k_grad.data_ptr<float>());
        scatter_add(shape, s, kv, work.value_grads, v_grad.data_ptr<float>());
      }
    }
    const auto back = [](const Tensor& x) { return x.transpose(0, 1); };
    return {back(q_grad), back(k_grad), back(v_grad), Tensor()};
  }
};

}  // namespace

Tensor longs(const std::vector<int64_t>& values, torch::Device device) {
  return torch::tensor(values, torch::kLong).to(device);
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return RmsNorm::apply(x, weight, eps);
}

Tensor rotate(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  return x.is_cpu() ? Rotate::apply(x, cosine, sine) : composed_rotate(x, cosine, sine);
}

Tensor packed_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                        const std::vector<Segment>& segments) {
  if (!q.is_cpu()) return composed_attention(q, k, v, segments);
  return PackedAttention::apply(q, k, v, to_tensor(segments));
}

Tensor composed_rotate(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const int64_t half = x.size(2) / 2;
  const Tensor first = x.slice(2, 0, half), second = x.slice(2, half);
  const Tensor c = cosine.unsqueeze(1), s = sine.unsqueeze(1);
  return torch::cat({first * c - second * s, second * c + first * s}, 2);
}

Tensor composed_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                          const std::vector<Segment>& segments) {
  const int64_t n = q.size(0), group = q.size(1) / k.size(1);
  Tensor hidden = torch::ones({n, n}, torch::kBool);
  for (const Segment& s : segments) {
    const Tensor rows = hidden.slice(0, s.own.begin, s.own.end);
    for (const Range& run : s.before) rows.slice(1, run.begin, run.end).zero_();
    rows.slice(1, s.own.begin, s.own.end).triu_(1);
  }
  const auto heads = [&](const Tensor& x) {  // [heads, n, dim]
    const Tensor shared = x.unsqueeze(2).expand({n, x.size(1), group, x.size(2)});
    return shared.reshape({n, q.size(1), x.size(2)}).transpose(0, 1);
  };
  const Tensor scores =
      torch::bmm(q.transpose(0, 1), heads(k).transpose(1, 2)) / std::sqrt(double(q.size(2)));
  const Tensor seen = scores.masked_fill(hidden.to(q.device()), -INFINITY).softmax(-1);
  return torch::bmm(seen, heads(v)).transpose(0, 1).contiguous();
}

}  // namespace podium::train
