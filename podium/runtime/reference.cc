#include "podium/runtime/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace podium::runtime {
namespace {

using Vec = std::vector<double>;

struct Layer {
  const float *input_norm, *post_norm, *q_norm, *k_norm, *q, *k, *v, *o, *gate, *up, *down;

  Layer(const WeightMap& weights, int index, bool head_norms) {
    const auto get = [&](const char* name) {
      return weights.find(fmt::format("model.layers.{}.{}.weight", index, name))->second.data();
    };
    input_norm = get("input_layernorm");
    post_norm = get("post_attention_layernorm");
    q_norm = head_norms ? get("self_attn.q_norm") : nullptr;
    k_norm = head_norms ? get("self_attn.k_norm") : nullptr;
    q = get("self_attn.q_proj");
    k = get("self_attn.k_proj");
    v = get("self_attn.v_proj");
    o = get("self_attn.o_proj");
    gate = get("mlp.gate_proj");
    up = get("mlp.up_proj");
    down = get("mlp.down_proj");
  }
};

Vec linear(const float* weight, size_t outputs, const Vec& x) {
  Vec y(outputs);
  for (size_t o = 0; o < outputs; ++o) {
    for (size_t i = 0; i < x.size(); ++i) y[o] += double(weight[o * x.size() + i]) * x[i];
  }
  return y;
}

Vec rms(const Vec& x, const float* weight, double eps) {
  double mean = 0;
  for (double value : x) mean += value * value / double(x.size());
  Vec y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] / std::sqrt(mean + eps) * weight[i];
  return y;
}

// Heads of one token, normed (unless norm is null) and rotated to its position.
std::vector<Vec> heads_of(const rerank::ModelSpec& spec, const Vec& x, int heads, const float* norm,
                          size_t position) {
  const int dim = spec.head_dim, half = dim / 2;
  const std::vector<double> frequency = spec.rope.frequencies(dim);
  std::vector<Vec> result;
  for (int h = 0; h < heads; ++h) {
    Vec head(x.begin() + h * dim, x.begin() + (h + 1) * dim);
    if (norm) head = rms(head, norm, spec.norm_eps);
    Vec turned(dim);
    for (int i = 0; i < half; ++i) {
      const double angle = double(position) * frequency[size_t(i)];
      turned[i] = head[i] * std::cos(angle) - head[i + half] * std::sin(angle);
      turned[i + half] = head[i + half] * std::cos(angle) + head[i] * std::sin(angle);
    }
    result.push_back(std::move(turned));
  }
  return result;
}

// Attention of one query head to the tokens that it sees.
Vec attention(const Vec& query, const std::vector<size_t>& seen, const std::vector<Vec>& keys,
              const std::vector<Vec>& values) {
  Vec weights, out(query.size());
  double top = -1e300, sum = 0;
  for (const size_t t : seen) {
    double score = 0;
    for (size_t d = 0; d < query.size(); ++d) score += query[d] * keys[t][d];
    weights.push_back(score / std::sqrt(double(query.size())));
    top = std::max(top, weights.back());
  }
  for (double& weight : weights) sum += weight = std::exp(weight - top);
  for (size_t i = 0; i < seen.size(); ++i) {
    for (size_t d = 0; d < out.size(); ++d) out[d] += weights[i] / sum * values[seen[i]][d];
  }
  return out;
}

void add(Vec& x, const Vec& y) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

void layer_forward(const rerank::ModelSpec& spec, const Layer& layer, const Sight& sight,
                   std::vector<Vec>& xs) {
  const size_t dim = spec.head_dim;
  std::vector<std::vector<Vec>> keys(spec.kv_heads), values(spec.kv_heads);
  for (size_t t = 0; t < xs.size(); ++t) {
    const Vec h = rms(xs[t], layer.input_norm, spec.norm_eps);
    const auto k = heads_of(spec, linear(layer.k, spec.kv_heads * dim, h), spec.kv_heads,
                            layer.k_norm, sight.position[t]);
    const Vec v = linear(layer.v, spec.kv_heads * dim, h);
    for (int head = 0; head < spec.kv_heads; ++head) {
      keys[head].push_back(k[head]);
      values[head].emplace_back(v.begin() + head * dim, v.begin() + (head + 1) * dim);
    }
  }
  for (size_t t = 0; t < xs.size(); ++t) {
    const Vec h = rms(xs[t], layer.input_norm, spec.norm_eps);
    const auto q = heads_of(spec, linear(layer.q, spec.heads * dim, h), spec.heads, layer.q_norm,
                            sight.position[t]);
    Vec joined;
    for (int head = 0; head < spec.heads; ++head) {
      const int kv = head / (spec.heads / spec.kv_heads);
      const Vec one = attention(q[head], sight.sees[t], keys[kv], values[kv]);
      joined.insert(joined.end(), one.begin(), one.end());
    }
    add(xs[t], linear(layer.o, spec.hidden, joined));
    const Vec f = rms(xs[t], layer.post_norm, spec.norm_eps);
    Vec gate = linear(layer.gate, spec.ffn, f);
    const Vec up = linear(layer.up, spec.ffn, f);
    for (size_t i = 0; i < gate.size(); ++i) gate[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
    add(xs[t], linear(layer.down, spec.hidden, gate));
  }
}

void see(std::vector<size_t>& seen, size_t begin, size_t end) {
  for (size_t t = begin; t < end; ++t) seen.push_back(t);
}

}  // namespace

Sight causal(size_t tokens) {
  Sight sight;
  for (size_t t = 0; t < tokens; ++t) {
    sight.position.push_back(t);
    see(sight.sees.emplace_back(), 0, t + 1);
  }
  sight.added.resize(tokens);
  return sight;
}

Sight in_blocks(const rerank::Prompt& prompt, size_t answer) {
  Sight sight = causal(prompt.tokens.size() + answer);
  const std::vector<int> positions = prompt.positions();
  std::copy(positions.begin(), positions.end(), sight.position.begin());
  for (const rerank::Span& block : prompt.blocks) {
    for (size_t t = block.begin; t < block.end; ++t) {
      sight.sees[t].clear();
      see(sight.sees[t], block.begin, t + 1);
    }
  }
  for (size_t i = 0; i < prompt.candidates; ++i) {
    const size_t name = prompt.names() + i, evidence = prompt.evidence_tokens();
    sight.sees[name].clear();
    see(sight.sees[name], 0, prompt.history());
    see(sight.sees[name], prompt.item(i).begin, prompt.item(i).end);
    see(sight.sees[name], name, name + 1);
    const auto added = prompt.evidence.begin() + std::ptrdiff_t(i * evidence);
    sight.added[name].assign(added, added + std::ptrdiff_t(evidence));
  }
  return sight;
}

std::vector<double> reference_logits(const rerank::ModelSpec& spec, const WeightMap& weights,
                                     std::span<const TokenId> tokens, const Sight& sight) {
  const float* embedding = weights.find("model.embed_tokens.weight")->second.data();
  const float* head = spec.tied ? embedding : weights.find("lm_head.weight")->second.data();
  const float* norm = weights.find("model.norm.weight")->second.data();
  std::vector<Vec> xs(tokens.size(), Vec(spec.hidden));
  for (size_t t = 0; t < tokens.size(); ++t) {
    const auto embed = [&](TokenId token) {
      const float* row = embedding + size_t(token) * spec.hidden;
      for (int i = 0; i < spec.hidden; ++i) xs[t][size_t(i)] += row[i];
    };
    embed(tokens[t]);
    for (const TokenId token : sight.added[t]) embed(token);
  }
  for (int i = 0; i < spec.layers; ++i) {
    layer_forward(spec, Layer(weights, i, spec.head_norms), sight, xs);
  }
  std::vector<double> logits;
  for (const Vec& x : xs) {
    const Vec row = linear(head, spec.vocab, rms(x, norm, spec.norm_eps));
    logits.insert(logits.end(), row.begin(), row.end());
  }
  return logits;
}

}  // namespace podium::runtime
