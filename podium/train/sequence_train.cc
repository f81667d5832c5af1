#include "podium/train/sequence_train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/base/progress.h"
#include "podium/train/adam_step.h"
#include "podium/train/checkpoint.h"

namespace podium::train {

using torch::Tensor;

namespace {

// Mean of -log(exp(own) / (exp(own) + sum exp(others))), others [n, m] without those that collide.
Tensor softmax_loss(const Tensor& own, const Tensor& others, const Tensor& collision) {
  const Tensor all = torch::logaddexp(own, others.masked_fill(collision, -1e9).logsumexp(1));
  return (all - own).mean();
}

// The loss of the batch's candidates, a row's target against the others; states and embedded
// [rows, time, dim] of all its tokens.
Tensor rank_loss(const SequenceModelImpl& model, const Batch& batch, const Tensor& states,
                 const Tensor& embedded, const NegativeSampler& sampler) {
  const int64_t events = batch.target.size(1), dim = model.options.dim;
  const Tensor user =
      states.gather(1, batch.before.view({-1, 1, 1}).expand({-1, 1, dim}));  // [rows, 1, dim]
  const Tensor scores = states.slice(1, events).matmul(model.rank_head) +
                        embedded.slice(1, events).mul(user).sum(2);  // [rows, candidates]
  const Tensor items = batch.tokens.items.slice(1, events);
  const Tensor target = items.slice(1, 0, 1), negative = items.slice(1, 1);
  const Tensor corrected =
      scores.slice(1, 1) - log_counts(negative, negative.size(1), sampler, model.options.logq);
  return softmax_loss(scores.select(1, 0), corrected, negative.eq(target));
}

// One forward pass to the loss; one embedding look-up, so that its gradient is scattered once.
Tensor batch_loss(SequenceModelImpl& model, Batch& batch, const NegativeSampler& sampler,
                  uint64_t seed, int64_t step) {
  const SequenceOptions& options = model.options;
  const int64_t events = batch.target.size(1);
  if (model.rank_weight > 0) add_candidates(batch, sampler, model.rank_negatives, seed, step);
  const Tokens& tokens = batch.tokens;
  const Tensor real = batch.target.ne(kPad).view(-1).nonzero().squeeze(1);  // [positions]
  const Tensor target = batch.target.view(-1).index_select(0, real);
  const Tensor negative = torch::tensor(sampler.draw(options.negatives, seed, step), torch::kLong);
  const Tensor all = torch::cat({tokens.items.clamp_min(0).view(-1), target, negative});
  const Tensor rows = model.embed(all);
  const int64_t inputs = tokens.items.numel(), positions = target.numel();
  const Tensor embedded =
      rows.slice(0, 0, inputs).view({tokens.items.size(0), tokens.items.size(1), options.dim});
  const Tensor states = model.encode(embedded, tokens);
  const Tensor hidden = states.slice(1, 0, events).reshape({-1, options.dim}).index_select(0, real);
  const Tensor loss = sampled_softmax_loss(
      hidden, rows.slice(0, inputs, inputs + positions), rows.slice(0, inputs + positions),
      log_counts(negative, options.negatives, sampler, options.logq),
      target.unsqueeze(1).eq(negative.unsqueeze(0)));
  if (tokens.candidates == 0) return loss;
  return loss + model.rank_weight * rank_loss(model, batch, states, embedded, sampler);
}

// Cosine from the full step down to a twentieth of it.
double learning_rate(const SequenceOptions& options, int64_t step, int64_t steps) {
  const double done = double(step) / double(std::max<int64_t>(1, steps));
  return options.learning_rate * (0.05 + 0.95 * 0.5 * (1 + std::cos(done * M_PI)));
}

}  // namespace

Tensor log_counts(const Tensor& items, int64_t n, const NegativeSampler& sampler, bool logq) {
  Tensor counts = torch::zeros(items.sizes());
  if (!logq) return counts;
  const Tensor flat = items.contiguous();
  for (int64_t i = 0; i < flat.numel(); ++i) {
    counts.data_ptr<float>()[i] =
        float(std::log(double(n)) + sampler.log_q(flat.data_ptr<int64_t>()[i]));
  }
  return counts;
}

Tensor sampled_softmax_loss(const Tensor& hidden, const Tensor& positive, const Tensor& negative,
                            const Tensor& log_nq, const Tensor& collision) {
  return softmax_loss(hidden.mul(positive).sum(1),              // [positions]
                      hidden.matmul(negative.t()).sub(log_nq),  // [positions, n]
                      collision);
}

void fit_sequence_model(SequenceModelImpl& model, const data::View& fit,
                        const SequenceFit& settings) {
  const SequenceOptions& options = settings.options;
  torch::optim::Adam adam(
      model.parameters(),
      torch::optim::AdamOptions(options.learning_rate).weight_decay(options.weight_decay));
  const NegativeSampler sampler(fit, options.popularity_share);
  Checkpointer checkpointer(
      {settings.checkpoint, settings.fingerprint, settings.checkpoint_seconds, settings.stop});
  int64_t step = 0;
  int first_epoch = 0;
  size_t first_batch = 0;
  double loss_sum = 0;
  if (!settings.checkpoint.empty()) {
    if (const auto cursor = checkpointer.restore(model, adam)) {
      step = (*cursor)["step"];
      first_epoch = (*cursor)["epoch"];
      first_batch = (*cursor)["batch"];
      loss_sum = (*cursor)["loss_sum"];
    }
  }
  model.train();
  Progress progress("sequence model", uint64_t(settings.epochs - first_epoch), "epochs");
  for (int epoch = first_epoch; epoch < settings.epochs; ++epoch) {
    const auto batches = epoch_batches(fit, options, settings.seed, epoch);
    const int64_t steps = int64_t(batches.size()) * settings.epochs;
    for (size_t b = first_batch; b < batches.size(); ++b, ++step) {
      if (!settings.checkpoint.empty()) {
        checkpointer.poll(model, adam, [&] {
          return Json{{"step", step}, {"epoch", epoch}, {"batch", b}, {"loss_sum", loss_sum}};
        });
      }
      Batch batch = make_batch(fit, batches[b]);
      loss_sum += adam_step(adam, batch_loss(model, batch, sampler, settings.seed, step),
                            learning_rate(options, step, steps), {step + 1, settings.rate_option});
    }
    const double loss = loss_sum / double(std::max<size_t>(1, batches.size()));
    first_batch = 0;
    loss_sum = 0;
    progress.note(fmt::format("loss {:.3f}", loss));
    progress.add();
    if (settings.after_epoch) settings.after_epoch(epoch, loss);
    model.train();
  }
}

}  // namespace podium::train
