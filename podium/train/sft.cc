#include "podium/train/sft.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/train/calibrate.h"
#include "podium/train/checkpoint.h"
#include "podium/train/gradient.h"
#include "podium/train/metrics_log.h"
#include "podium/train/policy_validate.h"

namespace podium::train {
namespace {

// A trace of another teacher's, under a grammar that does not hold it.
void check_trace(const rerank::PromptContext& context, const SftSample& sample) {
  if (!context.options.claims || !sample.with_trace) return;
  const auto foreign = rerank::foreign_to_claims(context, sample.slate, sample.teacher.trace);
  if (!foreign) return;
  throw Error(fmt::format("the trace of slate {} leaves the grammar of claims: {}", sample.slate.id,
                          *foreign),
              "train with --no-prompt.claims: its teacher writes prose");
}

double weight_of(const ScoredToken& scored, const SftOptions& options) {
  if (scored.over == Over::kVocabulary || scored.over == Over::kMay) return options.form_weight;
  return scored.in_trace ? options.trace_weight : options.answer_weight;
}

std::vector<int> any_order(size_t candidates, Rng& rng) {
  std::vector<int> order(candidates);
  std::iota(order.begin(), order.end(), 0);
  rng.shuffle(std::span(order));
  return order;
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
  return workers.backward(examples, [total](const torch::Tensor& logprob, const Example& part) {
    return weighed_loss(logprob, part, total);
  });
}

// The samples of an epoch in their training order.
std::vector<Example> batch_of(const rerank::PromptContext& context,
                              const std::vector<SftSample>& epoch, const std::vector<size_t>& order,
                              size_t begin, const SftOptions& options) {
  std::vector<Example> examples;
  const size_t end = std::min(order.size(), begin + size_t(options.batch_slates));
  for (size_t i = begin; i < end; ++i) {
    examples.push_back(sft_example(context, epoch[order[i]], options));
  }
  return examples;
}

// A micro-batch leaves out what the seed of its first example says.
void drop_out(std::vector<Example>& examples, double share, Rng rng) {
  for (Example& example : examples) example.packed.dropout = {share, rng.next()};
}

// None for a policy that has learnt to choose already.
std::optional<Calibration> begin_calibrated(Qwen3& model, const SlateSets& slates) {
  const SlateWeights own = slate_weights(model->spec, model->weights);
  if (!own.key.defined() || own.key.any().item<bool>()) return {};
  Calibration start = calibrate(slates.train, slates.valid);
  log_info(fmt::format(
      "SFT begins with {:.3f} x the upstream's score + {:.3f} x the ranker's{} (log likelihood "
      "+{:.3f})",
      start.weight[0], start.weight[1], start.penalty > 0 ? " + what the features add" : "",
      start.gained));
  const torch::NoGradGuard no_grad;
  own.scale.copy_(torch::tensor(start.weight, torch::kFloat));
  return start;
}

// Of all epochs, each of about as many samples as the first.
int64_t steps_of(size_t first_samples, const SftOptions& options) {
  if (first_samples == 0) {
    throw Error("no trace of these slates was accepted", "raise teacher.temperature or tries");
  }
  const auto batch = size_t(options.batch_slates);
  return int64_t((first_samples + batch - 1) / batch) * options.epochs;
}

// What is kept is chosen once, by small differences: on as many times more slates.
constexpr size_t kWeighOn = 4;

// What stats.json says of a calibrated start.
Json weigh(Qwen3& model, const rerank::PromptContext& context,
           const std::vector<rerank::Slate>& valid, const std::optional<Calibration>& start,
           ValidationPlan plan) {
  if (!start) return Json::object();
  plan.most *= kWeighOn;
  Json found =
      weigh_residual(model, *start, [&] { return validate(*model, context, valid, plan).each; });
  log_info(fmt::format("SFT keeps {} of its start, and {} of what it has learnt to choose by",
                       found["start"].dump(), found["share"].dump()));
  return {{"start", {{"weight", start->weight}, {"penalty", start->penalty}}},
          {"residual", std::move(found)}};
}

Json statistics(const Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
                const rerank::TraceSummary& traces, const Selection& selection,
                ValidationPlan plan) {
  const auto answers = [&](bool with_trace) {
    plan.with_trace = with_trace;
    return validate(*model, context, slates.valid, plan);
  };
  const Validation traced = answers(true), direct = answers(false);
  log_info(fmt::format("SFT: NDCG {:.4f} with trace, {:.4f} without; input order {:.4f}",
                       traced.ndcg, direct.ndcg, traced.input_ndcg));
  return {
      {"accept_rate", traces.accept_rate},           {"coverage", traces.coverage},
      {"train_slates", slates.train.size()},         {"valid_slates", slates.valid.size()},
      {"valid_with_trace", to_json(traced)},         {"valid_without_trace", to_json(direct)},
      {"best_step", selection.state()["best_step"]}, {"validation", selection.state()["curve"]}};
}

// The traces by slate, in order of their draws.
using TracesOf = std::unordered_map<std::string_view, std::vector<const rerank::Trace*>>;

TracesOf by_slate(const std::vector<rerank::Trace>& traces) {
  TracesOf map;
  for (const rerank::Trace& trace : traces) map[trace.slate].push_back(&trace);
  for (auto& [slate, draws] : map) {
    std::stable_sort(draws.begin(), draws.end(),
                     [](const auto* a, const auto* b) { return a->draw < b->draw; });
  }
  return map;
}

}  // namespace

std::vector<SftSample> sft_epoch(const std::vector<rerank::Slate>& slates,
                                 const std::vector<rerank::Trace>& traces,
                                 const SftOptions& options, uint64_t seed, int epoch) {
  const TracesOf drawn = by_slate(traces);
  Rng rng = Rng(seed).fork("sft").fork(uint64_t(epoch));
  std::vector<SftSample> samples;
  for (const rerank::Slate& slate : slates) {
    const bool with_trace = rng.uniform() >= options.no_trace_share;
    if (options.label_weight > 0 && slate.can_be_ranked()) {
      samples.push_back(
          {slate, {{}, any_order(slate.candidates.size(), rng)}, false, Teaches::kLabels});
      if (!with_trace) continue;
    }
    const auto found = drawn.find(slate.id);
    if (found == drawn.end()) continue;
    const rerank::Trace& trace = *found->second[size_t(epoch) % found->second.size()];
    if (trace.shown.size() != slate.candidates.size() || trace.teacher.order.empty()) continue;
    if (!trace.accepted && options.form_weight == 0) continue;
    samples.push_back({rerank::as_shown(slate, trace.shown), trace.teacher, with_trace,
                       trace.accepted ? Teaches::kAnswer : Teaches::kForm});
  }
  return samples;
}

Example sft_example(const rerank::PromptContext& context, const SftSample& sample,
                    const SftOptions& options) {
  check_trace(context, sample);
  const std::span<const TokenId> trace =
      sample.with_trace ? std::span(sample.teacher.trace) : std::span<const TokenId>();
  // One more than the trace, so that closing it is a choice of the policy's.
  SlateExample example(context, sample.slate, sample.with_trace, int(trace.size()) + 1);
  if (sample.teaches == Teaches::kLabels) {
    example.add_labels(gains_of(sample.slate), float(options.label_weight) * sample.slate.weight,
                       size_t(options.label_ranks));
  }
  const SlateExample::Scores scores{sample.teaches == Teaches::kAnswer, options.form_weight > 0};
  if (!scores.choices && !scores.form) return example.take();
  const auto answer =
      rerank::build_answer(context, sample.slate, trace, sample.with_trace, sample.teacher.order);
  const auto scored = example.add_answer(answer, scores);
  for (ScoredToken& token : scored) token.weight = float(weight_of(token, options));
  // A trace that ends with a name has chosen it: that is the answer's first.
  const TokenId first = context.vocabulary.candidate(size_t(sample.teacher.order.front()));
  if (trace.empty() || trace.back() != first) return example.take();
  for (auto token = scored.rbegin(); token != scored.rend(); ++token) {
    if (!token->in_trace || token->target != first) continue;
    token->weight = float(options.answer_weight);
    break;
  }
  return example.take();
}

Json sft(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
         const std::vector<rerank::Trace>& traces, const SftOptions& options, const StageJob& job) {
  torch::optim::AdamW adam = make_adamw(model, options.learning_rate, 0.01);
  Checkpointer checkpointer(job.checkpoints());
  MetricsLog log(job.work / "metrics.jsonl", job.group.leads());
  GradientWorkers workers(model, frozen_of(context, model->spec.vocab, job.device), job.threads,
                          job.group);
  // By answers without a trace, in the second half only: traces take that long to be learnt, and
  // are there to be reinforced later.
  const ValidationPlan plan{
      size_t(options.eval_slates), false, options.max_trace, job.threads, nullptr, job.group};
  Selection selection(model, context, slates.valid, plan, job.work / "best.safetensors");
  std::optional<Calibration> start;
  if (options.label_weight > 0) start = begin_calibrated(model, slates);
  int first_epoch = 0;
  int64_t step = 0;
  size_t first = 0;
  if (const auto cursor = resume(checkpointer, model, adam)) {
    first_epoch = (*cursor)["epoch"];
    first = (*cursor)["begin"];
    step = (*cursor)["step"];
    selection.restore((*cursor)["selection"]);
  }
  const rerank::TraceSummary summary = rerank::summary_of(traces);
  const auto batch = size_t(options.batch_slates);
  const int64_t steps =
      steps_of(sft_epoch(slates.train, traces, options, job.seed, 0).size(), options);
  Progress progress("SFT", uint64_t(steps), "steps");
  for (int e = first_epoch; e < options.epochs; ++e, first = 0) {
    const auto epoch = sft_epoch(slates.train, traces, options, job.seed, e);
    const auto order = permutation(epoch.size(), job.seed, uint64_t(e));
    for (size_t begin = first; begin < order.size(); begin += batch, ++step) {
      checkpointer.poll(*model->learnt, adam, [&] {
        return Json{
            {"epoch", e}, {"begin", begin}, {"step", step}, {"selection", selection.state()}};
      });
      auto examples = batch_of(context, epoch, order, begin, options);
      drop_out(examples, options.dropout, Rng(job.seed).fork("dropout").fork(uint64_t(step)));
      const auto result = backward(workers, examples);
      optimizer_step(model, adam,
                     cosine_rate(options.learning_rate, std::min(step, steps - 1), steps),
                     result.loss, {step + 1, "sft.learning_rate"});
      log.add(step + 1, {{"loss", result.loss}});
      progress.note(fmt::format("loss {:.3f}", result.loss));
      progress.add();
      const bool due = (step + 1) % options.eval_every == 0 && step + 1 > steps / 2;
      if (due) selection.measure("SFT", step + 1);
    }
  }
  // Epochs differ by a few traces, so only here is the last step known.
  if (selection.last_step() != step) selection.measure("SFT", step);
  selection.take_best();
  const Json weighed = weigh(model, context, slates.valid, start, plan);
  log.finish(job.work / "metrics.done.jsonl");
  Json result = statistics(model, context, slates, summary, selection, plan);
  result.update(weighed);
  return result;
}

}  // namespace podium::train
