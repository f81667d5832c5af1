#include "podium/train/rl.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/train/checkpoint.h"
#include "podium/train/dapo.h"
#include "podium/train/metrics_log.h"
#include "podium/train/policy_validate.h"
#include "podium/train/shared_decode.h"
#include "podium/train/tune_likeness.h"

namespace podium::train {
namespace {

constexpr int kMostRounds = 4;  // of dynamic sampling a step
constexpr int kWarmSteps = 5;
constexpr size_t kTunedOn = 500;  // slates
constexpr size_t kTunedBytes = size_t{1} << 28;

// What one step learns from.
struct StepBatch {
  std::vector<RolloutGroup> groups;  // with spread, or with a teacher
  int64_t rollouts = 0, identical = 0, dropped = 0;
  double reward = 0;
  size_t trace_tokens = 0;
};

// What the updates of one step add up to.
struct StepSums {
  std::vector<double> sums = std::vector<double>(kSurrogateSums);
  double mismatch_mean = 0, mismatch_max = 0;  // of the first update

  void add(const GradientWorkers::Result& update) {
    if (sums[kTokens] == 0) {
      mismatch_mean = update.statistics[kMismatch] / std::max(1.0, update.statistics[kTokens]);
      mismatch_max = update.largest;
    }
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += update.statistics[i];
  }
  double per_token(SurrogateSum sum) const { return sums[sum] / std::max(1.0, sums[kTokens]); }
};

class Reinforcer {
 public:
  Reinforcer(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
             const RlPlan& plan, const StageJob& job)
      : model_(model),
        context_(context),
        slates_(slates),
        options_(plan.options),
        reward_(reward_options(options_), plan.facts, plan.clicks),
        with_trace_(plan.with_trace),
        teacher_(plan.teacher),
        observe_(plan.observe),
        frozen_(frozen_of(context, model->spec.vocab, job.device)),
        job_(job),
        adam_(make_adamw(model, {options_.learning_rate, options_.shared_rate}, 0)),
        workers_(model, frozen_, job.threads, job.group),
        selection_(model, context, slates.valid,
                   {size_t(options_.eval_slates), with_trace_, options_.max_trace, job.threads,
                    of_lists() ? &reward_ : nullptr, job.group},
                   job.work / "best.safetensors") {}

  Json run() {
    Checkpointer checkpointer(job_.checkpoints());
    MetricsLog log(job_.work / "metrics.jsonl", job_.group.leads());
    begin(checkpointer);
    Progress progress(with_trace_ ? "RL" : "RL without trace", uint64_t(options_.steps), "steps");
    int64_t step = state_["step"];
    while (step < options_.steps && !out_of_patience()) {
      state_["step"] = step;
      state_["selection"] = selection_.state();
      checkpointer.poll(*model_->learnt, adam_, [&] { return state_; });
      const Json row = learn(step);
      log.add(++step, row);
      progress.note(fmt::format("reward {:.3f}", row["reward"].get<double>()));
      progress.add();
      if (step % options_.eval_every == 0 || step == options_.steps) measure(step);
    }
    selection_.take_best();
    log.finish(job_.work / "metrics.done.jsonl");
    return {{"steps", step},
            {"with_trace", with_trace_},
            {"likeness", state_.value("likeness", Json())},
            {"gate", options_.gate},
            {"dropped_groups", state_["dropped"]},
            {"best_step", selection_.state()["best_step"]},
            {"validation", selection_.state()["curve"]}};
  }

 private:
  // From the checkpoint, or from the policy that was given.
  void begin(const Checkpointer& checkpointer) {
    const fs::path kept = job_.work / "start.safetensors";
    if (options_.kl_weight > 0) start_ = Qwen3(model_->spec, 0);
    if (const auto cursor = resume(checkpointer, model_, adam_)) {
      state_ = *cursor;
      selection_.restore(state_["selection"]);
    } else {
      state_ = {{"step", 0}, {"drawn", 0}, {"dropped", 0}};
      if (of_lists() && model_->spec.reads_slates()) {
        measure(0);  // the policy as it came may be the best
        state_["likeness"] = begin_likeness();
      }
      if (start_ && job_.group.leads()) save_weights(kept, *model_);
      measure(0);
    }
    if (!start_) return;
    job_.group.barrier();  // rank 0 has written it
    load_weights(kept, *start_);
    start_->to(job_.device);
  }

  bool of_lists() const { return rerank::parse_reward(options_.rank).needs_facts(); }

  Json begin_likeness() {
    std::vector<rerank::Slate> some;
    const size_t apart = std::max<size_t>(1, slates_.train.size() / kTunedOn);
    for (size_t i = 0; i < slates_.train.size(); i += apart) some.push_back(slates_.train[i]);
    const ValidationPlan plan{kTunedOn,     with_trace_, options_.max_trace,
                              job_.threads, &reward_,    job_.group};
    // Reads what is tuned where it lies; the slates' histories and items only once.
    const runtime::Engine engine =
        engine_over(*model_, {.prefix_bytes = kTunedBytes, .item_bytes = kTunedBytes});
    return tune_likeness(*model_, [&] { return validate(engine, context_, some, plan).value; });
  }

  void measure(int64_t step) {
    selection_.measure("RL", step, observe_ ? observe_(*model_) : Json::object());
  }

  bool out_of_patience() const {
    return options_.patience > 0 && selection_.since_best() >= options_.patience;
  }

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
      const size_t length = trace_tokens(rollout, context_.vocabulary.open_answer);
      group.rewards.push_back(reward_(slate, rollout.order) +
                              options_.overlong_weight * overlong_penalty(length,
                                                                          options_.overlong_from,
                                                                          options_.max_trace));
      batch.reward += group.rewards.back();
      batch.identical += is_input_order(rollout.order);
      batch.trace_tokens += length;
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
    ask_others(examples);
    const StepSums sums = update(step, examples);
    state_["dropped"] = state_["dropped"].get<int64_t>() + batch.dropped;
    const double n = double(std::max<int64_t>(1, batch.rollouts));
    Json row = {
        {"reward", batch.reward / n},           {"identity_rate", double(batch.identical) / n},
        {"groups", batch.groups.size()},        {"dropped_groups", batch.dropped},
        {"entropy", sums.per_token(kSurprise)}, {"clip_share", sums.per_token(kClipped)},
        {"mismatch_mean", sums.mismatch_mean},  {"mismatch_max", sums.mismatch_max}};
    if (with_trace_) row["trace_tokens"] = double(batch.trace_tokens) / n;
    if (teacher_ != nullptr) row["teacher_divergence"] = sums.per_token(kTeacher);
    if (start_) row["start_divergence"] = sums.per_token(kStart);
    return row;
  }

  void ask_others(std::vector<Example>& examples) const {
    if (teacher_ != nullptr) {
      ask_policy(*teacher_, frozen_, examples, &ScoredToken::teacher_logprob, job_);
    }
    if (start_) {
      ask_policy(*start_, frozen_, examples, &ScoredToken::start_logprob, job_);
    }
  }

  StepSums update(int64_t step, const std::vector<Example>& examples) {
    const double teacher_weight = teacher_ != nullptr ? options_.teacher_weight : 0;
    const double rate =
        options_.learning_rate * std::min(1.0, double(step + 1) / double(kWarmSteps));
    const size_t share = (examples.size() + size_t(options_.updates) - 1) / options_.updates;
    StepSums sums;
    for (int epoch = 0; epoch < options_.epochs; ++epoch) {
      for (size_t begin = 0; begin < examples.size(); begin += share) {
        const std::vector<Example> part(
            examples.begin() + std::ptrdiff_t(begin),
            examples.begin() + std::ptrdiff_t(std::min(examples.size(), begin + share)));
        const auto result = surrogate_backward(workers_, part, options_, teacher_weight);
        optimizer_step(model_, adam_, {rate, options_.shared_rate}, result.loss,
                       {step + 1, with_trace_ ? "rl.learning_rate" : "rl_fast.learning_rate"});
        sums.add(result);
      }
    }
    return sums;
  }

  Qwen3& model_;
  const rerank::PromptContext& context_;
  const SlateSets& slates_;
  const RlOptions& options_;
  rerank::SlateReward reward_;
  bool with_trace_;
  const Qwen3Impl* teacher_;  // null: none
  std::function<Json(const Qwen3Impl&)> observe_;
  Qwen3 start_{nullptr};  // the policy that RL began with; null without kl_weight
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

rerank::RewardOptions reward_options(const RlOptions& options) {
  return {.spec = rerank::parse_reward(options.rank),
          .gate = rerank::parse_gate(options.gate),
          .alpha = options.alpha};
}

Json reinforce(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
               const RlPlan& plan, const StageJob& job) {
  return Reinforcer(model, context, slates, plan, job).run();
}

}  // namespace podium::train
