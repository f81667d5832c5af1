#include "podium/train/recover.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"
#include "podium/base/progress.h"
#include "podium/train/checkpoint.h"
#include "podium/train/gradient.h"
#include "podium/train/metrics_log.h"
#include "podium/train/policy_validate.h"
#include "podium/train/prune.h"
#include "podium/train/shared_decode.h"

namespace podium::train {
namespace {

using torch::Tensor;

// The smaller policy learns the larger one's choices.
class Recovery {
 public:
  Recovery(Qwen3& model, const Qwen3Impl& teacher, const rerank::PromptContext& context,
           const SlateSets& slates, const PruneOptions& options, const StageJob& job)
      : model_(model),
        teacher_(teacher),
        engine_(engine_over(teacher)),
        context_(context),
        slates_(slates),
        options_(options),
        job_(job),
        frozen_(frozen_of(context, model->spec.vocab)),
        workers_(model, frozen_of(context, model->spec.vocab, job.device), job.threads, job.group),
        selection_(
            model, context, slates.valid,
            {.most = size_t(options.eval_slates), .threads = job.threads, .group = job.group},
            job.work / "best.safetensors") {}

  // Returns the validations.
  Json run() {
    torch::optim::AdamW adam = make_adamw(model_, options_.learning_rate, 0.01);
    Checkpointer checkpointer(job_.checkpoints());
    MetricsLog log(job_.work / "metrics.jsonl", job_.group.leads());
    int64_t step = 0;
    if (const auto cursor = resume(checkpointer, model_, adam)) {
      step = (*cursor)["step"];
      selection_.restore((*cursor)["selection"]);
    } else {
      selection_.measure("pruned", 0);
    }
    Progress progress("recovery", uint64_t(options_.steps), "steps");
    progress.add(uint64_t(step));
    for (; step < options_.steps; ++step) {
      checkpointer.poll(*model_->learnt, adam, [&] {
        return Json{{"step", step}, {"selection", selection_.state()}};
      });
      const double loss = learn(step);
      optimizer_step(model_, adam, cosine_rate(options_.learning_rate, step, options_.steps), loss,
                     {step + 1, "prune.learning_rate"});
      log.add(step + 1, {{"loss", loss}});
      progress.note(fmt::format("loss {:.3f}", loss));
      progress.add();
      const bool due = (step + 1) % options_.eval_every == 0 || step + 1 == options_.steps;
      if (due) selection_.measure("recovery", step + 1);
    }
    selection_.take_best();
    log.finish(job_.work / "metrics.done.jsonl");
    return selection_.state();
  }

 private:
  double learn(int64_t step) {
    const auto batch = size_t(options_.batch_slates), n = slates_.train.size();
    std::vector<rerank::Slate> drawn;
    for (size_t i = 0; i < batch; ++i) {
      const size_t at = size_t(step) * batch + i;
      if (at % n == 0 || order_.empty()) order_ = permutation(n, job_.seed, at / n);
      drawn.push_back(slates_.train[order_[at % n]]);
    }
    const auto answers =
        SharedDecode{engine_, context_, job_.threads, job_.group}(drawn, {.with_trace = false});
    std::vector<Example> examples;
    for (size_t i = 0; i < batch; ++i) {
      examples.push_back(distilled_example(context_, drawn[i], answers[i].order,
                                           size_t(options_.ranks), teacher_, frozen_));
    }
    return workers_
        .backward(examples,
                  [batch](const Tensor& logprob, const Example& part) {
                    return weighed_loss(logprob, part, double(batch));
                  })
        .loss;
  }

  Qwen3& model_;
  const Qwen3Impl& teacher_;
  const runtime::Engine engine_;  // the teacher's
  const rerank::PromptContext& context_;
  const SlateSets& slates_;
  const PruneOptions& options_;
  const StageJob& job_;
  const Frozen frozen_;
  GradientWorkers workers_;
  Selection selection_;
  std::vector<size_t> order_;
};

std::vector<rerank::Slate> some_of(const std::vector<rerank::Slate>& slates, int most,
                                   uint64_t seed) {
  std::vector<rerank::Slate> some;
  for (const size_t i : permutation(slates.size(), seed, 0)) {
    if (some.size() == size_t(most)) break;
    some.push_back(slates[i]);
  }
  return some;
}

Json describe(const rerank::ModelSpec& spec) {
  return {{"layers", spec.layers},           {"heads", spec.heads},
          {"kv_heads", spec.kv_heads},       {"ffn", spec.ffn},
          {"parameters", spec.parameters()}, {"layer_weights", layer_weights(spec)}};
}

}  // namespace

Example distilled_example(const rerank::PromptContext& context, const rerank::Slate& slate,
                          std::span<const int> order, size_t ranks, const Qwen3Impl& teacher,
                          const Frozen& frozen) {
  SlateExample made(context, slate, false, 1);
  made.add_answer(rerank::build_answer(context, slate, {}, false, order));
  Example example = made.take();
  std::vector<ScoredToken> choices = std::move(example.scored);
  example.scored.clear();
  choices.resize(std::min(ranks, choices.size()));
  double discounts = 0;
  for (size_t rank = 0; rank < choices.size(); ++rank) discounts += rank_discount(rank);
  for (size_t rank = 0; rank < choices.size(); ++rank) {
    for (const TokenId name : choices[rank].allowed) {
      ScoredToken scored = choices[rank];
      scored.target = name;
      scored.weight = float(rank_discount(rank) / discounts);
      example.scored.push_back(std::move(scored));
    }
  }
  if (example.scored.empty()) return example;
  const torch::NoGradGuard no_grad;
  const Tensor logprob = log_probs(teacher.spec, teacher.weights, example, frozen);
  for (size_t i = 0; i < example.scored.size(); ++i) {
    example.scored[i].weight *= std::exp(logprob.data_ptr<float>()[i]);
  }
  return example;
}

Json prune(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
           const PruneOptions& options, const StageJob& job) {
  for (size_t i = 0; i < model->weights.size(); ++i) {
    if (model->learnt->whole(i)) continue;
    throw Error("pruning changes every weight, and a frozen backbone keeps its own",
                "leave adapt.freeze out");
  }
  const Qwen3 teacher = model;
  const ValidationPlan plan{
      .most = size_t(options.eval_slates), .threads = job.threads, .group = job.group};
  const Validation before = validate(*teacher, context, slates.valid, plan);
  const Importance importance = measure_importance(
      model, context, some_of(slates.train, options.slates, job.seed), job.threads);
  const Kept kept = choose_kept(teacher->spec, importance, options.keep);
  model = pruned(teacher, kept);
  log_info(fmt::format(
      "{} of {} layers, {} of {} key heads, {} of {} channels stay: {:.0f} % of "
      "the layers' weights",
      model->spec.layers, teacher->spec.layers, model->spec.kv_heads, teacher->spec.kv_heads,
      model->spec.ffn, teacher->spec.ffn,
      100.0 * double(layer_weights(model->spec)) / double(layer_weights(teacher->spec))));
  const Json found = Recovery(model, *teacher, context, slates, options, job).run();
  Json layers = Json::array();
  for (size_t i = 0; i < importance.groups.size(); ++i) layers.push_back(importance.layer(i));
  return {{"from", describe(teacher->spec)}, {"to", describe(model->spec)},
          {"layers", kept.layers},           {"importance", layers},
          {"unpruned", to_json(before)},     {"best_step", found["best_step"]},
          {"validation", found["curve"]}};
}

}  // namespace podium::train
