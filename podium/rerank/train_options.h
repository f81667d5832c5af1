// Options of the training stages, free of LibTorch: shared by the pipeline, which passes them on,
// and podium-train, which obeys them.
#pragma once

#include <cstdint>
#include <string>

namespace podium::rerank {

struct SasrecOptions {
  int dim = 64;
  int blocks = 1;
  int heads = 1;
  int max_len = 50;               // newest events read
  int negatives = 256;            // shared by a batch
  double popularity_share = 0.9;  // q = share * popularity + (1 - share) * uniform
  bool logq = true;
  double dropout = 0.3;
  double learning_rate = 4e-3;
  double weight_decay = 0;
  int batch_tokens = 512;  // positions a step
  int epochs = 20;         // of a fit from scratch
  int refit_epochs = 8;    // of a fit warm-started from the phase before
  int eval_every = 5;      // epochs between validations (phase valid only)
  template <class V>
  void visit(V& v) {
    v("dim", dim, "width of SASRec");
    v("blocks", blocks, "transformer blocks");
    v("heads", heads, "attention heads");
    v("max_len", max_len, "newest events of a user that SASRec reads");
    v("negatives", negatives, "sampled softmax: negatives shared by a batch");
    v("popularity_share", popularity_share,
      "share of the negatives drawn by popularity, the rest uniformly");
    v("logq", logq, "correct the sampled logits by log q");
    v("dropout", dropout, "dropout of embeddings, attention and feed-forward");
    v("learning_rate", learning_rate, "Adam's step");
    v("weight_decay", weight_decay, "L2 weight decay");
    v("batch_tokens", batch_tokens, "positions a step (length-bucketed)");
    v("epochs", epochs, "epochs of a fit from scratch");
    v("refit_epochs", refit_epochs, "epochs of a fit warm-started from the phase before");
    v("eval_every", eval_every, "epochs between validations, phase valid only");
  }
};

}  // namespace podium::rerank
