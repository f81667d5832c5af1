#include "podium/train/rqvae_train.h"

#include <algorithm>
#include <optional>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/sid/kmeans.h"
#include "podium/sid/last_level.h"
#include "podium/train/adam_step.h"
#include "podium/train/checkpoint.h"
#include "podium/train/gradient.h"
#include "podium/train/metrics_log.h"
#include "podium/train/rqvae.h"
#include "podium/train/torch_ops.h"

namespace podium::train {
namespace {

using torch::Tensor;

// Of every item those that come right before or after it in histories, once for each time.
class Companions {
 public:
  explicit Companions(const data::View& view) : of_(view.dataset->items()) {
    for (data::UserIndex user = 0; user < view.length.size(); ++user) {
      const auto items = view.items_of(user);
      for (size_t i = 1; i < items.size(); ++i) {
        if (items[i] == items[i - 1]) continue;
        of_[items[i]].push_back(items[i - 1]);
        of_[items[i - 1]].push_back(items[i]);
      }
    }
  }
  std::span<const data::ItemIndex> of(size_t item) const { return of_[item]; }

 private:
  std::vector<std::vector<data::ItemIndex>> of_;
};

// Items of a step, and after them the drawn companions of those that have any.
struct ItemBatch {
  std::vector<int64_t> items;  // [rows + companions]
  std::vector<int64_t> owner;  // [companions] rows that they belong to
};

ItemBatch item_batch(std::span<const size_t> order, const Companions* companions, Rng rng) {
  ItemBatch batch;
  batch.items.assign(order.begin(), order.end());
  for (size_t row = 0; companions && row < order.size(); ++row) {
    const auto found = companions->of(order[row]);
    if (found.empty()) continue;
    batch.owner.push_back(int64_t(row));
    batch.items.push_back(int64_t(found[rng.below(found.size())]));
  }
  return batch;
}

struct StepLoss {
  Tensor total, reconstruction;
  std::optional<Quantised> quantised;
};

// coded: the latent vectors are spelled; else it is a plain autoencoder's loss.
StepLoss step_loss(const RqVaeImpl& model, const Tensor& vectors, const ItemBatch& batch,
                   bool coded) {
  const RqVaeOptions& options = model.options;
  const Tensor items = longs(batch.items);
  const Tensor x = vectors.index_select(0, items);
  StepLoss loss;
  Tensor latent = model.encode(x);
  if (coded) loss.quantised = model.quantise(latent);
  if (coded) latent = loss.quantised->latent;
  loss.total = loss.reconstruction = (model.decode(latent) - x).square().mean();
  if (coded) {
    loss.total = loss.total + loss.quantised->codebook +
                 options.commitment * loss.quantised->commitment +
                 options.diversity * loss.quantised->diversity;
  }
  if (batch.owner.size() > 1) {
    const auto first = int64_t(batch.items.size() - batch.owner.size());
    const Tensor own = latent.index_select(0, longs(batch.owner));
    loss.total = loss.total + options.contrastive * contrastive_loss(own, latent.slice(0, first),
                                                                     items.slice(0, first),
                                                                     options.temperature);
  }
  return loss;
}

// Level by level on what the levels before leave of the encoder's latent vectors.
void start_by_kmeans(RqVaeImpl& model, const RqVaeInput& input, const StageJob& job) {
  const auto dim = size_t(model.options.latent);
  std::vector<float> residual = model.served_encoder().apply(input.vectors, job.threads);
  for (int64_t level = 0; level < model.shape.levels; ++level) {
    const std::vector<float> centroids =
        sid::kmeans(residual, dim, {int(model.shape.codes), input.sid.iterations},
                    Rng(job.seed).fork("rqvae-start").fork(uint64_t(level)), job.threads);
    const std::vector<uint32_t> owner = sid::assign(residual, dim, centroids, job.threads);
    for (size_t i = 0; i < residual.size(); ++i) {
      residual[i] -= centroids[owner[i / dim] * dim + i % dim];
    }
    model.set_codebook(level, centroids);
  }
}

// The steps of one fit.
class RqVaeLoop {
 public:
  RqVaeLoop(RqVae model, const RqVaeInput& input, const StageJob& job)
      : model_(std::move(model)),
        input_(input),
        job_(job),
        adam_(model_->parameters(), torch::optim::AdamOptions(input.options.learning_rate)),
        log_(job.work / "metrics.jsonl"),
        items_(input.vectors.size() / input.dim),
        rows_(std::min(size_t(input.options.batch), items_)),
        per_epoch_(int64_t(items_ / rows_)) {
    if (input.options.contrastive > 0) companions_.emplace(input.histories);
    vectors_ = torch::empty({int64_t(items_), int64_t(input.dim)});
    std::copy(input.vectors.begin(), input.vectors.end(), vectors_.data_ptr<float>());
    model_->standardise(vectors_);
    vectors_ = model_->standardised(vectors_);
  }

  void run() {
    Checkpointer checkpointer({job_.work / "checkpoint.safetensors", job_.fingerprint,
                               job_.checkpoint_seconds, job_.stop});
    int64_t step = 0;
    if (const auto cursor = checkpointer.restore(*model_, adam_)) {
      step = (*cursor)["step"];
      loss_ = (*cursor)["loss"];
      reconstruction_ = (*cursor)["reconstruction"];
    }
    const int64_t steps = per_epoch_ * input_.options.epochs;
    Progress progress("RQ-VAE", uint64_t(steps - step), "steps");
    for (; step < steps; ++step) {
      checkpointer.poll(*model_, adam_, [&] {
        return Json{{"step", step}, {"loss", loss_}, {"reconstruction", reconstruction_}};
      });
      take(step, steps);
      progress.add();
    }
    log_.finish(job_.work / "metrics.done.jsonl");
  }

 private:
  void take(int64_t step, int64_t steps) {
    const int64_t epoch = step / per_epoch_;
    if (epoch != epoch_) order_ = permutation(items_, job_.seed, uint64_t(epoch));
    epoch_ = epoch;
    const auto part = std::span(order_).subspan(size_t(step % per_epoch_) * rows_, rows_);
    const Rng rng = Rng(job_.seed).fork("rqvae").fork(uint64_t(step));
    const ItemBatch batch =
        item_batch(part, companions_ ? &*companions_ : nullptr, rng.fork("companions"));
    // Before its encoder has settled a little, k-means would find nothing that lasts.
    const bool coded = epoch > 0 || !input_.options.kmeans_start;
    const StepLoss loss = step_loss(*model_, vectors_, batch, coded);
    loss_ += adam_step(adam_, loss.total, cosine_rate(input_.options.learning_rate, step, steps),
                       {step + 1, "rqvae.learning_rate"});
    reconstruction_ += loss.reconstruction.item<double>();
    const bool last = (step + 1) % per_epoch_ == 0;
    if (coded) follow(*loss.quantised, rng, last && epoch + 1 < input_.options.epochs);
    if (!last) return;
    if (!coded) start_by_kmeans(*model_, input_, job_);
    log_.add(epoch + 1, {{"loss", loss_ / double(per_epoch_)},
                         {"reconstruction", reconstruction_ / double(per_epoch_)}});
    loss_ = reconstruction_ = 0;
  }

  // Codes that move in the last epoch would stay where chance put them: `reset` is off there.
  void follow(const Quantised& quantised, const Rng& rng, bool reset) {
    if (input_.options.ema) model_->follow(quantised);
    if (!input_.options.reset_dead) return;
    model_->note_use(quantised);
    if (reset) model_->reset_dead(quantised, rng.fork("reset"));
  }

  RqVae model_;
  const RqVaeInput& input_;
  const StageJob& job_;
  torch::optim::Adam adam_;
  MetricsLog log_;
  size_t items_, rows_;
  int64_t per_epoch_;
  std::optional<Companions> companions_;  // with a contrastive loss
  Tensor vectors_;                        // [items, dim], standardised
  int64_t epoch_ = -1;
  std::vector<size_t> order_;             // of the items in this epoch
  double loss_ = 0, reconstruction_ = 0;  // summed over the epoch
};

// The catalogue by the model's codebooks, by the very maths that places new items.
sid::SidModel quantised_catalogue(const RqVaeImpl& model, const RqVaeInput& input,
                                  const StageJob& job) {
  sid::SidModel sids;
  sids.encoder = model.served_encoder();
  sids.dim = model.options.latent;
  const std::vector<float> latents = sids.encoder.apply(input.vectors, job.threads);
  const size_t items = latents.size() / size_t(sids.dim);
  sids.table = {input.sid.levels, int(model.shape.codes), {}};
  sids.table.codes.resize(items * size_t(input.sid.levels));
  const size_t size = size_t(model.shape.codes) * size_t(sids.dim);
  sids.centroids.resize(size_t(input.sid.levels) * size);
  const Tensor trained = model.codebooks.detach().contiguous();
  std::copy_n(trained.data_ptr<float>(), trained.numel(), sids.centroids.begin());
  sid::quantise(sids, latents, int(model.shape.levels), job.threads);
  if (input.sid.random_last_level) {
    sid::draw_last_level(sids.table, job.seed);
  } else if (model.options.sinkhorn) {
    const int before = input.sid.levels - 1;
    const std::vector<float> residuals = sid::quantise(sids, latents, before, job.threads);
    sid::spread_last_level(sids.table, residuals,
                           std::span(sids.centroids).subspan(size_t(before) * size));
  }
  sid::measure(sids);
  return sids;
}

}  // namespace

sid::SidModel fit_rqvae(const RqVaeInput& input, const StageJob& job) {
  const size_t items = input.histories.dataset->items();
  PODIUM_CHECK(input.dim > 0 && items > 0 && input.vectors.size() == items * input.dim);
  const RqVaeShape shape{int64_t(input.dim),
                         input.sid.levels - (input.sid.random_last_level ? 1 : 0),
                         sid::codes_for(items, input.sid.codes)};
  const RqVae model(shape, input.options, job.seed);
  RqVaeLoop(model, input, job).run();
  return quantised_catalogue(*model, input, job);
}

}  // namespace podium::train
