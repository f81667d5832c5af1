#include "podium/train/dapo.h"

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"
#include "podium/base/parallel.h"

namespace podium::train {
namespace {

using torch::Tensor;

constexpr double kEpsilon = 1e-6;
constexpr double kMostAhead = 10;  // nats; keeps k3 finite where the student has no hope in a token

// Of one ScoredToken field, [scored].
Tensor field_of(const Example& part, float ScoredToken::*field) {
  std::vector<float> values;
  for (const ScoredToken& scored : part.scored) values.push_back(scored.*field);
  return torch::tensor(values);
}

// Sum of k3.
Tensor k3_sum(const Tensor& logprob, const Tensor& other) {
  const Tensor ahead = (other - logprob).clamp_max(kMostAhead);
  return (ahead.exp() - ahead - 1).sum();
}

// The loss of a part before it is divided by the batch's tokens.
PartLoss surrogate_loss(const Tensor& logprob, const Example& part, const RlOptions& options,
                        double teacher_weight) {
  const Tensor old = field_of(part, &ScoredToken::old_logprob);
  const Tensor advantage = field_of(part, &ScoredToken::weight);
  const Tensor surrogate =
      clipped_surrogate(logprob, old, advantage, options.clip_low, options.clip_high);
  const Tensor apart = logprob.detach() - old;
  PartLoss result{-surrogate.sum(), std::vector<double>(kSurrogateSums)};
  auto& sums = result.statistics;
  sums[kClipped] = (surrogate.detach() < apart.exp() * advantage).sum().item<double>();
  sums[kTokens] = double(part.scored.size());
  sums[kSurprise] = -logprob.detach().sum().item<double>();
  sums[kMismatch] = apart.abs().sum().item<double>();
  result.largest = apart.abs().max().item<double>();
  const auto pull = [&](double weight, float ScoredToken::*other, SurrogateSum sum) {
    if (weight == 0) return;
    const Tensor k3 = k3_sum(logprob, field_of(part, other));
    sums[sum] = k3.item<double>();
    result.loss = result.loss + weight * k3;
  };
  pull(teacher_weight, &ScoredToken::teacher_logprob, kTeacher);
  pull(options.kl_weight, &ScoredToken::start_logprob, kStart);
  return result;
}

}  // namespace

std::vector<float> group_advantages(std::span<const double> rewards) {
  PODIUM_CHECK(!rewards.empty());
  double mean = 0, variance = 0;
  for (double r : rewards) mean += r / double(rewards.size());
  for (double r : rewards) variance += (r - mean) * (r - mean) / double(rewards.size());
  const double deviation = std::sqrt(variance);
  if (deviation < 1e-9) return {};
  std::vector<float> advantages;
  for (double r : rewards) advantages.push_back(float((r - mean) / (deviation + kEpsilon)));
  return advantages;
}

std::vector<std::vector<float>> rank_advantages(std::span<const uint8_t> gains,
                                                std::span<const runtime::Rollout> rollouts) {
  const size_t ranks = gains.size();
  std::vector<uint8_t> best(gains.begin(), gains.end());
  std::sort(best.rbegin(), best.rend());
  const auto worth = [](uint8_t gain, size_t rank) {
    return (std::exp2(double(gain)) - 1) * rank_discount(rank);
  };
  double ideal = 0;
  for (size_t r = 0; r < ranks; ++r) ideal += worth(best[r], r);
  if (ideal == 0) return {};
  std::vector<std::vector<double>> later(rollouts.size(), std::vector<double>(ranks + 1));
  std::vector<double> mean(ranks);
  for (size_t g = 0; g < rollouts.size(); ++g) {
    for (size_t r = ranks; r-- > 0;) {
      later[g][r] = later[g][r + 1] + worth(gains[size_t(rollouts[g].order[r])], r) / ideal;
      mean[r] += later[g][r] / double(rollouts.size());
    }
  }
  double variance = 0;
  for (const auto& of_rollout : later) {
    for (size_t r = 0; r < ranks; ++r) {
      variance += std::pow(of_rollout[r] - mean[r], 2) / double(ranks * rollouts.size());
    }
  }
  const double deviation = std::sqrt(variance);
  if (deviation < 1e-9) return {};
  std::vector<std::vector<float>> advantages(rollouts.size());
  for (size_t g = 0; g < rollouts.size(); ++g) {
    for (size_t r = 0; r < ranks; ++r) {
      advantages[g].push_back(float((later[g][r] - mean[r]) / (deviation + kEpsilon)));
    }
  }
  return advantages;
}

double overlong_penalty(size_t tokens, int from, int most) {
  const auto length = double(tokens);
  if (length <= from || from >= most) return 0;
  return std::max(-1.0, (from - length) / double(most - from));
}

size_t trace_tokens(const runtime::Rollout& rollout, text::TokenId open_answer) {
  const auto end = std::ranges::find(rollout.tokens, open_answer);
  return end == rollout.tokens.end() ? 0 : size_t(end - rollout.tokens.begin()) - 1;
}

Tensor clipped_surrogate(const Tensor& logprob, const Tensor& old, const Tensor& advantage,
                         double low, double high) {
  const Tensor ratio = (logprob - old).exp();
  return torch::minimum(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage);
}

Example group_example(const rerank::PromptContext& context, const RolloutGroup& group,
                      bool with_trace, int max_trace) {
  SlateExample example(context, group.slate, with_trace, max_trace);
  for (size_t g = 0; g < group.rollouts.size(); ++g) {
    const runtime::Rollout& rollout = group.rollouts[g];
    const auto scored = example.add_answer(rollout.tokens);
    // Neither the last name is a choice, nor the first when the trace has made it.
    const auto choices = size_t(std::ranges::count(rollout.kind, rerank::TokenKind::kChoice));
    size_t next = 0, rank = group.slate.candidates.size() - 1 - choices;
    for (size_t t = 0; t < rollout.tokens.size(); ++t) {
      if (rollout.kind[t] == rerank::TokenKind::kForced) continue;
      PODIUM_CHECK(next < scored.size());
      scored[next].old_logprob = rollout.logprob[t];
      float advantage = group.advantages.empty() ? 0 : group.advantages[g];
      if (rollout.kind[t] == rerank::TokenKind::kChoice && !group.by_rank.empty()) {
        advantage = group.by_rank[g][rank++];
      }
      scored[next].weight = advantage * group.slate.weight;
      ++next;
    }
    PODIUM_CHECK(next == scored.size());
  }
  return example.take();
}

GradientWorkers::Result surrogate_backward(GradientWorkers& workers,
                                           const std::vector<Example>& examples,
                                           const RlOptions& options, double teacher_weight) {
  size_t total = 0;
  for (const Example& example : examples) total += example.scored.size();
  return workers.backward(examples, [&](const Tensor& logprob, const Example& part) {
    PartLoss result = surrogate_loss(logprob, part, options, teacher_weight);
    result.loss = result.loss / double(total);
    return result;
  });
}

void ask_policy(const Qwen3Impl& policy, const Frozen& frozen, std::vector<Example>& examples,
                float ScoredToken::*field, const StageJob& job) {
  const auto share = job.group.share(examples.size());
  std::vector<Tensor> own(share.end - share.begin);  // [scored] of each example
  parallel_for(job.threads, own.size(), 1, [&](size_t begin, size_t end) {
    const torch::NoGradGuard no_grad;
    for (size_t i = begin; i < end; ++i) {
      own[i] = log_probs(policy.spec, policy.weights, examples[share.begin + i], frozen);
    }
  });
  own.push_back(torch::empty({0}));  // where the share is empty
  const Tensor all = torch::cat(job.group.gather(torch::cat(own)));
  const float* next = all.data_ptr<float>();
  for (Example& example : examples) {
    for (ScoredToken& scored : example.scored) scored.*field = *next++;
  }
}

}  // namespace podium::train
