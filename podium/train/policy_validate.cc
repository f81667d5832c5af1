#include "podium/train/policy_validate.h"

#include <algorithm>
#include <numeric>

#include "podium/rerank/reward.h"
#include "podium/runtime/engine.h"

namespace podium::train {

std::vector<uint8_t> gains_of(const rerank::Slate& slate) {
  std::vector<uint8_t> gains;
  for (const auto& candidate : slate.candidates) gains.push_back(candidate.gain);
  return gains;
}

bool is_input_order(std::span<const int> order) {
  for (size_t r = 0; r < order.size(); ++r) {
    if (order[r] != int(r)) return false;
  }
  return true;
}

Validation validate(const Qwen3Impl& model, const rerank::PromptContext& context,
                    const std::vector<rerank::Slate>& slates, size_t most, bool with_trace,
                    int max_trace, int threads) {
  const auto part = std::span(slates).first(std::min(most, slates.size()));
  Validation sum;
  if (part.empty()) return sum;
  runtime::DecodeOptions options;
  options.with_trace = with_trace;
  options.max_trace = max_trace;
  const auto rollouts = engine_over(model).decode(context, part, options, threads);
  for (size_t i = 0; i < part.size(); ++i) {
    const auto gains = gains_of(part[i]);
    std::vector<int> input(gains.size());
    std::iota(input.begin(), input.end(), 0);
    sum.ndcg += rerank::ndcg(gains, rollouts[i].order, gains.size());
    sum.input_ndcg += rerank::ndcg(gains, input, gains.size());
    sum.identity_rate += is_input_order(rollouts[i].order);
  }
  const auto n = double(part.size());
  return {sum.ndcg / n, sum.input_ndcg / n, sum.identity_rate / n};
}

Json to_json(const Validation& v) {
  return {{"ndcg", v.ndcg}, {"input_ndcg", v.input_ndcg}, {"identity_rate", v.identity_rate}};
}

}  // namespace podium::train
