// How good a policy is on validation slates, in the middle of its training.
#pragma once

#include <vector>

#include "podium/base/json.h"
#include "podium/rerank/slate.h"
#include "podium/train/policy_data.h"

namespace podium::train {

struct Validation {
  double ndcg = 0, input_ndcg = 0;  // means over the slates, all candidates counted
  double identity_rate = 0;         // answers equal to the input order
  double gain() const { return ndcg - input_ndcg; }
};

// Greedy answers to the first `most` slates, as they come. All zero without slates.
Validation validate(const Qwen3Impl& model, const rerank::PromptContext& context,
                    const std::vector<rerank::Slate>& slates, size_t most, bool with_trace,
                    int max_trace, int threads);
Json to_json(const Validation& validation);

std::vector<uint8_t> gains_of(const rerank::Slate& slate);
bool is_input_order(std::span<const int> order);

}  // namespace podium::train
