#include "podium/train/sft.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/train/checkpoint.h"
#include "podium/train/gradient.h"
#include "podium/train/metrics_log.h"
#include "podium/train/policy_validate.h"

namespace podium::train {
namespace {

constexpr size_t kValidSlates = 400;
constexpr int kMaxTrace = 64;  // of validation

void check(const rerank::SftOptions& o) {
  const auto share = [](double x) { return x >= 0 && x <= 1; };
  if (o.epochs < 1 || o.batch_slates < 1 || o.trace_weight < 0 || o.forced_weight < 0 ||
      !(o.answer_weight > 0) || o.trace_weight >= o.answer_weight || !share(o.shuffle_share) ||
      !share(o.no_trace_share)) {
    throw Error("an SFT option is out of range",
                "epochs and batch_slates are at least 1, 0 <= trace_weight < answer_weight, shares "
                "lie in [0, 1]");
  }
}

double weight_of(Over over, const rerank::SftOptions& options) {
  switch (over) {
    case Over::kTrace:
      return options.trace_weight;
    case Over::kListed:
      return options.answer_weight;
    default:
      return options.forced_weight;
  }
}

double total_weight(const std::vector<Example>& examples) {
  double sum = 0;
  for (const Example& example : examples) {
    for (const ScoredToken& scored : example.scored) sum += scored.weight;
  }
  return sum;
}

GradientWorkers::Result backward(GradientWorkers& workers, const std::vector<Example>& examples) {
  const double total = total_weight(examples);
  return workers.backward(examples, [&](const torch::Tensor& logprob, const Example& part) {
    std::vector<float> weights;
    for (const ScoredToken& scored : part.scored) weights.push_back(scored.weight);
    return PartLoss{-(logprob * torch::tensor(weights)).sum() / total, {}};
  });
}

// The samples of an epoch in their training order.
std::vector<Example> batch_of(const rerank::PromptContext& context, const SftEpoch& epoch,
                              const std::vector<size_t>& order, size_t begin,
                              const rerank::SftOptions& options) {
  std::vector<Example> examples;
  const size_t end = std::min(order.size(), begin + size_t(options.batch_slates));
  for (size_t i = begin; i < end; ++i) {
    examples.push_back(sft_example(context, epoch.samples[order[i]], options));
  }
  return examples;
}

Json statistics(const Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
                const SftEpoch& epoch, const StageJob& job) {
  const Validation traced =
      validate(*model, context, slates.valid, kValidSlates, true, kMaxTrace, job.threads);
  const Validation direct =
      validate(*model, context, slates.valid, kValidSlates, false, kMaxTrace, job.threads);
  log_info(fmt::format("SFT: NDCG {:.4f} with trace, {:.4f} without; input order {:.4f}",
                       traced.ndcg, direct.ndcg, traced.input_ndcg));
  return {{"accept_rate", epoch.accept_rate},    {"coverage", epoch.coverage},
          {"train_slates", slates.train.size()}, {"valid_slates", slates.valid.size()},
          {"valid_with_trace", to_json(traced)}, {"valid_without_trace", to_json(direct)}};
}

}  // namespace

SftEpoch sft_epoch(const rerank::PromptContext& context, const std::vector<rerank::Slate>& slates,
                   const rerank::SftOptions& options, const rerank::TeacherOptions& teacher,
                   uint64_t seed, int epoch) {
  Rng rng = Rng(seed).fork("sft").fork(uint64_t(epoch));
  std::vector<rerank::Slate> shown;
  std::vector<bool> with_trace;
  for (const rerank::Slate& slate : slates) {
    shown.push_back(maybe_shuffled(slate, options.shuffle_share, rng));
    with_trace.push_back(rng.uniform() >= options.no_trace_share);
  }
  auto sampled = rerank::rejection_sample(context, shown, teacher, rng.next());
  SftEpoch result{{}, sampled.accept_rate, sampled.coverage};
  for (size_t i = 0; i < shown.size(); ++i) {
    if (!sampled.traces[i]) continue;
    result.samples.push_back(
        {std::move(shown[i]), std::move(*sampled.traces[i]), bool(with_trace[i])});
  }
  return result;
}

Example sft_example(const rerank::PromptContext& context, const SftSample& sample,
                    const rerank::SftOptions& options) {
  const auto& trace = sample.teacher.trace;
  const std::vector<TokenId> answer = rerank::build_answer(
      context, sample.slate, sample.with_trace ? std::span(trace) : std::span<const TokenId>(),
      sample.with_trace, sample.teacher.order);
  // One more than the trace, so that closing it is a choice of the policy's.
  SlateExample example(context, sample.slate, sample.with_trace, int(trace.size()) + 1);
  for (ScoredToken& scored : example.add_answer(answer, options.forced_weight > 0)) {
    scored.weight = float(weight_of(scored.over, options));
  }
  return example.take();
}

Json sft(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
         const rerank::SftOptions& options, const rerank::TeacherOptions& teacher,
         const StageJob& job) {
  check(options);
  torch::optim::AdamW adam = make_adamw(model, options.learning_rate, 0.01);
  Checkpointer checkpointer(
      {job.work / "checkpoint.safetensors", job.fingerprint, job.checkpoint_seconds});
  MetricsLog log(job.work / "metrics.jsonl");
  GradientWorkers workers(model, trace_mask_tensor(context, model->spec.vocab), job.threads);
  int first_epoch = 0;
  int64_t step = 0;
  size_t first = 0;
  if (const auto cursor = checkpointer.restore(*model, adam)) {
    first_epoch = (*cursor)["epoch"];
    first = (*cursor)["begin"];
    step = (*cursor)["step"];
  }
  const SftEpoch opening = sft_epoch(context, slates.train, options, teacher, job.seed, 0);
  if (opening.samples.empty()) {
    throw Error("the teacher's traces were all rejected", "raise teacher.temperature or tries");
  }
  log_info(fmt::format("rejection sampling: {:.1f} % of samples accepted, {:.1f} % of slates",
                       100 * opening.accept_rate, 100 * opening.coverage));
  const auto batch = size_t(options.batch_slates);
  const size_t steps_an_epoch = (opening.samples.size() + batch - 1) / batch;
  const auto steps = int64_t(steps_an_epoch) * options.epochs;
  Progress progress("SFT", uint64_t(steps), "steps");
  for (int e = first_epoch; e < options.epochs; ++e, first = 0) {
    const SftEpoch epoch = sft_epoch(context, slates.train, options, teacher, job.seed, e);
    const auto order = permutation(epoch.samples.size(), job.seed, uint64_t(e));
    for (size_t begin = first; begin < order.size(); begin += batch, ++step) {
      checkpointer.poll(*model, adam, [&] {
        return Json{{"epoch", e}, {"begin", begin}, {"step", step}};
      });
      const auto result = backward(workers, batch_of(context, epoch, order, begin, options));
      optimizer_step(model, adam,
                     cosine_rate(options.learning_rate, std::min(step, steps - 1), steps));
      log.add(step + 1, {{"loss", result.loss}});
      progress.note(fmt::format("loss {:.3f}", result.loss));
      progress.add();
    }
  }
  log.finish(job.work / "metrics.done.jsonl");
  return statistics(model, context, slates, opening, job);
}

}  // namespace podium::train
