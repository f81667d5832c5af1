#include "podium/train/rl.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/train/checkpoint.h"
#include "podium/train/metrics_log.h"
#include "podium/train/policy_validate.h"
#include "podium/train/shared_decode.h"

namespace podium::train {
namespace {

using torch::Tensor;

constexpr int kMostRounds = 4;  // of dynamic sampling a step
constexpr int kWarmSteps = 5;
constexpr double kEpsilon = 1e-6;
constexpr double kMostAhead = 10;  // nats; keeps k3 finite where the student has no hope in a token

// What one step learns from.
struct StepBatch {
  std::vector<RolloutGroup> groups;  // with spread, or with a teacher
  int64_t rollouts = 0, identical = 0, dropped = 0;
  double reward = 0;
};

class Reinforcer {
 public:
  Reinforcer(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
             const RlPlan& plan, const StageJob& job)
      : model_(model),
        context_(context),
        slates_(slates),
        options_(plan.options),
        reward_(reward_options(options_), plan.facts),
        with_trace_(plan.with_trace),
        teacher_(plan.teacher),
        frozen_(frozen_of(context, model->spec.vocab, job.device)),
        job_(job),
        adam_(make_adamw(model, options_.learning_rate, 0)),
        workers_(model, frozen_, job.threads, job.group),
        selection_(
            model, context, slates.valid,
            {size_t(options_.eval_slates), with_trace_, options_.max_trace, job.threads,
             rerank::parse_reward(options_.rank).needs_facts() ? &reward_ : nullptr, job.group},
            job.work / "best.safetensors") {}

  Json run() {
    Checkpointer checkpointer(job_.checkpoints());
    MetricsLog log(job_.work / "metrics.jsonl", job_.group.leads());
    if (const auto cursor = checkpointer.restore(*model_, adam_)) {
      state_ = *cursor;
      selection_.restore(state_["selection"]);
    } else {
      state_ = {{"step", 0}, {"drawn", 0}, {"dropped", 0}};
      selection_.measure("RL", 0);
    }
    Progress progress(with_trace_ ? "RL" : "RL without trace", uint64_t(options_.steps), "steps");
    for (int64_t step = state_["step"]; step < options_.steps; ++step) {
      state_["step"] = step;
      state_["selection"] = selection_.state();
      checkpointer.poll(*model_, adam_, [&] { return state_; });
      const Json row = learn(step);
      log.add(step + 1, row);
      progress.note(fmt::format("reward {:.3f}", row["reward"].get<double>()));
      progress.add();
      if ((step + 1) % options_.eval_every == 0 || step + 1 == options_.steps) {
        selection_.measure("RL", step + 1);
      }
    }
    selection_.take_best();
    log.finish(job_.work / "metrics.done.jsonl");
    return {{"steps", options_.steps},
            {"with_trace", with_trace_},
            {"gate", options_.gate},
            {"dropped_groups", state_["dropped"]},
            {"best_step", selection_.state()["best_step"]},
            {"validation", selection_.state()["curve"]}};
  }

 private:
  const rerank::Slate& drawn(int64_t index) {
    const auto n = int64_t(slates_.train.size());
    if (epoch_ != index / n) {
      epoch_ = index / n;
      order_ = permutation(slates_.train.size(), job_.seed, uint64_t(epoch_));
    }
    return slates_.train[order_[size_t(index % n)]];
  }

  std::vector<rerank::Slate> draw(size_t count) {
    std::vector<rerank::Slate> prompts;
    const Rng root = Rng(job_.seed).fork("rl-shuffle");
    int64_t at = state_["drawn"];
    for (size_t i = 0; i < count; ++i, ++at) {
      Rng rng = root.fork(uint64_t(at));
      prompts.push_back(maybe_shuffled(drawn(at), options_.shuffle ? 0.5 : 0, rng));
    }
    state_["drawn"] = at;
    return prompts;
  }

  StepBatch sample(int64_t step) {
    const runtime::Engine engine = engine_over(*model_);
    const SharedDecode answers{engine, context_, job_.threads, job_.group};
    runtime::DecodeOptions decode;
    decode.with_trace = with_trace_;
    decode.max_trace = options_.max_trace;
    decode.temperature = 1;  // as the ratios of the surrogate
    decode.samples = options_.rollouts;
    StepBatch batch;
    for (int round = 0; round < kMostRounds && batch.groups.size() < size_t(options_.prompts);
         ++round) {
      decode.seed = Rng(job_.seed).fork("rl").fork(uint64_t(step * kMostRounds + round)).next();
      const auto prompts = draw(size_t(options_.prompts) - batch.groups.size());
      auto rollouts = answers(prompts, decode);
      for (size_t i = 0; i < prompts.size(); ++i) {
        const auto begin = rollouts.begin() + std::ptrdiff_t(i) * options_.rollouts;
        add_group(prompts[i], {begin, begin + options_.rollouts}, batch);
      }
    }
    return batch;
  }

  void add_group(const rerank::Slate& slate, std::vector<runtime::Rollout> rollouts,
                 StepBatch& batch) {
    RolloutGroup group{slate, std::move(rollouts), {}, {}};
    for (const runtime::Rollout& rollout : group.rollouts) {
      group.rewards.push_back(reward_(slate, rollout.order));
      batch.reward += group.rewards.back();
      batch.identical += is_input_order(rollout.order);
      ++batch.rollouts;
    }
    group.advantages = group_advantages(group.rewards);
    if (options_.credit == "rank") {
      group.by_rank = rank_advantages(gains_of(slate), group.rollouts);
    }
    const bool silent = group.advantages.empty() && group.by_rank.empty();
    batch.dropped += silent ? 1 : 0;
    if (!silent || teacher_ != nullptr) batch.groups.push_back(std::move(group));
  }

  // One step: rollouts, then the updates. Returns its row of metrics.jsonl.
  Json learn(int64_t step) {
    const StepBatch batch = sample(step);
    std::vector<Example> examples;
    for (const RolloutGroup& group : batch.groups) {
      examples.push_back(group_example(context_, group, with_trace_, options_.max_trace));
    }
    if (teacher_ != nullptr) ask_teacher(*teacher_, frozen_, examples, job_);
    const double teacher_weight = teacher_ != nullptr ? options_.teacher_weight : 0;
    std::array<double, 4> sums{};  // see surrogate_backward
    const double rate =
        options_.learning_rate * std::min(1.0, double(step + 1) / double(kWarmSteps));
    const size_t share = (examples.size() + size_t(options_.updates) - 1) / options_.updates;
    for (int epoch = 0; epoch < options_.epochs; ++epoch) {
      for (size_t begin = 0; begin < examples.size(); begin += share) {
        const std::vector<Example> part(
            examples.begin() + std::ptrdiff_t(begin),
            examples.begin() + std::ptrdiff_t(std::min(examples.size(), begin + share)));
        const auto result = surrogate_backward(workers_, part, options_, teacher_weight);
        optimizer_step(model_, adam_, rate, result.loss,
                       {step + 1, with_trace_ ? "rl.learning_rate" : "rl_fast.learning_rate"});
        for (size_t i = 0; i < sums.size(); ++i) sums[i] += result.statistics.at(i);
      }
    }
    state_["dropped"] = state_["dropped"].get<int64_t>() + batch.dropped;
    const double n = double(std::max<int64_t>(1, batch.rollouts));
    const double t = std::max(1.0, sums[1]);
    Json row = {{"reward", batch.reward / n},    {"identity_rate", double(batch.identical) / n},
                {"groups", batch.groups.size()}, {"dropped_groups", batch.dropped},
                {"entropy", sums[2] / t},        {"clip_share", sums[0] / t}};
    if (teacher_ != nullptr) row["teacher_divergence"] = sums[3] / t;
    return row;
  }

  Qwen3& model_;
  const rerank::PromptContext& context_;
  const SlateSets& slates_;
  const RlOptions& options_;
  rerank::SlateReward reward_;
  bool with_trace_;
  const Qwen3Impl* teacher_;  // null: none
  Frozen frozen_;
  const StageJob& job_;
  torch::optim::AdamW adam_;
  GradientWorkers workers_;
  Selection selection_;
  Json state_;  // the checkpoint's cursor
  int64_t epoch_ = -1;
  std::vector<size_t> order_;
};

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

Tensor clipped_surrogate(const Tensor& logprob, const Tensor& old, const Tensor& advantage,
                         double low, double high) {
  const Tensor ratio = (logprob - old).exp();
  return torch::minimum(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage);
}

rerank::RewardOptions reward_options(const RlOptions& options) {
  if (options.gate != "plain" && options.gate != "conditional") {
    throw Error(fmt::format("unknown reward gate '{}'", options.gate), "use conditional or plain");
  }
  using rerank::RewardGate;
  return {.spec = rerank::parse_reward(options.rank),
          .gate = options.gate == "plain" ? RewardGate::kPlain : RewardGate::kConditional,
          .alpha = options.alpha};
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
      scored[next].weight = group.advantages.empty() ? 0 : group.advantages[g];
      if (rollout.kind[t] == rerank::TokenKind::kChoice && !group.by_rank.empty()) {
        scored[next].weight = group.by_rank[g][rank++];
      }
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
    std::vector<float> olds, advantages, teachers;
    for (const ScoredToken& scored : part.scored) {
      olds.push_back(scored.old_logprob);
      advantages.push_back(scored.weight);
      teachers.push_back(scored.teacher_logprob);
    }
    const Tensor old = torch::tensor(olds), advantage = torch::tensor(advantages);
    const Tensor surrogate =
        clipped_surrogate(logprob, old, advantage, options.clip_low, options.clip_high);
    const Tensor unclipped = (logprob.detach() - old).exp() * advantage;
    const double clipped = (surrogate.detach() < unclipped).sum().item<double>();
    const double surprise = -logprob.detach().sum().item<double>();
    Tensor loss = -surrogate.sum();
    double divergence = 0;
    if (teacher_weight > 0) {
      const Tensor ahead = (torch::tensor(teachers) - logprob).clamp_max(kMostAhead);
      const Tensor k3 = (ahead.exp() - ahead - 1).sum();
      divergence = k3.item<double>();
      loss = loss + teacher_weight * k3;
    }
    return PartLoss{loss / double(total),
                    {clipped, double(part.scored.size()), surprise, divergence}};
  });
}

void ask_teacher(const Qwen3Impl& teacher, const Frozen& frozen, std::vector<Example>& examples,
                 const StageJob& job) {
  const auto share = job.group.share(examples.size());
  std::vector<Tensor> own(share.end - share.begin);  // [scored] of each example
  parallel_for(job.threads, own.size(), 1, [&](size_t begin, size_t end) {
    const torch::NoGradGuard no_grad;
    for (size_t i = begin; i < end; ++i) {
      own[i] = log_probs(teacher.spec, teacher.weights, examples[share.begin + i], frozen);
    }
  });
  own.push_back(torch::empty({0}));  // where the share is empty
  const Tensor all = torch::cat(job.group.gather(torch::cat(own)));
  const float* next = all.data_ptr<float>();
  for (Example& example : examples) {
    for (ScoredToken& scored : example.scored) scored.teacher_logprob = *next++;
  }
}

Json reinforce(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
               const RlPlan& plan, const StageJob& job) {
  return Reinforcer(model, context, slates, plan, job).run();
}

}  // namespace podium::train
