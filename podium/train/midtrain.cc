#include "podium/train/midtrain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/train/checkpoint.h"
#include "podium/train/gradient.h"
#include "podium/train/metrics_log.h"

namespace podium::train {
namespace {

double mean(const std::vector<double>& values, size_t begin, size_t end) {
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += values[i];
  return sum / double(std::max<size_t>(1, end - begin));
}

}  // namespace

Json midtrain(Qwen3& model, const MidtrainSource& source, const MidtrainOptions& options,
              const StageJob& job) {
  torch::optim::AdamW adam = make_adamw(model, options.learning_rate, options.weight_decay);
  Checkpointer checkpointer(job.checkpoints());
  MetricsLog log(job.work / "metrics.jsonl", job.group.leads());
  const auto where = torch::TensorOptions(torch::kBool).device(job.device);
  GradientWorkers workers(model, {torch::ones({model->spec.vocab}, where), {}}, job.threads,
                          job.group);
  std::vector<double> losses;
  int64_t tokens = 0;
  if (const auto cursor = resume(checkpointer, model, adam)) {
    losses = (*cursor)["losses"].get<std::vector<double>>();
    tokens = (*cursor)["tokens"];
  }
  Progress progress("mid-training", uint64_t(options.steps) * uint64_t(options.batch_tokens),
                    "tokens");
  for (int64_t step = int64_t(losses.size()); step < options.steps; ++step) {
    checkpointer.poll(*model->learnt, adam, [&] {
      return Json{{"losses", losses}, {"tokens", tokens}};
    });
    const std::vector<Example> examples = source.batch(step);
    int64_t predicted = 0;
    for (const Example& example : examples) predicted += int64_t(example.scored.size());
    const auto result =
        workers.backward(examples, [&](const torch::Tensor& logprob, const Example&) {
          return PartLoss{-logprob.sum() / double(predicted), {}};
        });
    optimizer_step(model, adam, cosine_rate(options.learning_rate, step, options.steps),
                   result.loss, {step + 1, "midtrain.learning_rate"});
    losses.push_back(result.loss);
    tokens += predicted;
    log.add(step, {{"loss", result.loss}});
    progress.note(fmt::format("loss {:.3f}", result.loss));
    progress.add(uint64_t(options.batch_tokens));
  }
  log.finish(job.work / "metrics.done.jsonl");
  const size_t few = std::max<size_t>(1, losses.size() / 20);
  return {{"steps", options.steps},
          {"tokens", tokens},
          {"first_loss", mean(losses, 0, few)},
          {"last_loss", mean(losses, losses.size() - few, losses.size())}};
}

}  // namespace podium::train
