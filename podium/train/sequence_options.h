// Options of the sequence models; free of LibTorch, so that the pipeline may read them.
#pragma once

#include <string>

#include "podium/base/option_range.h"

namespace podium::train {

// Of SASRec, and what other sequence models share with it.
struct SequenceOptions {
  int dim = 64;
  int blocks = 1;
  int heads = 1;
  int max_len = 50;               // newest events read
  int negatives = 256;            // shared by a batch
  double popularity_share = 0.9;  // q = share * popularity + (1 - share) * uniform
  bool logq = true;
  bool text = true;
  double id_dropout = 0.1;
  double dropout = 0.3;
  double learning_rate = 4e-3;
  double weight_decay = 0;
  int batch_tokens = 512;  // positions a step
  int epochs = 20;         // of a fit from scratch
  int refit_epochs = 8;    // of a fit warm-started from the phase before
  int eval_every = 5;      // epochs between validations (phase valid only)
  template <class V>
  void visit(V& v) {
    v("dim", dim, "width of the model", between(1, 4096));
    v("blocks", blocks, "transformer blocks", between(1, 64));
    v("heads", heads, "attention heads", between(1, 64));
    v("max_len", max_len, "newest events of a user that the model reads", between(1, 10000));
    v("negatives", negatives, "sampled softmax: negatives shared by a batch", between(1, 1000000));
    v("popularity_share", popularity_share,
      "share of the negatives drawn by popularity, the rest uniformly", between(0, 1));
    v("logq", logq, "correct the sampled logits by log q");
    v("text", text,
      "an item is its learnt vector + its text's, projected; else the learnt one only");
    v("id_dropout", id_dropout,
      "share of the items read or asked for by their text only, so that new ones can be",
      below(0, 1));
    v("dropout", dropout, "dropout of embeddings, attention and feed-forward", below(0, 1));
    v("learning_rate", learning_rate, "Adam's step", between(1e-9, 10));
    v("weight_decay", weight_decay, "L2 weight decay", between(0, 100));
    v("batch_tokens", batch_tokens, "positions a step (length-bucketed)", between(1, 1000000));
    v("epochs", epochs, "epochs of a fit from scratch; 0: no such model", between(0, 100000));
    v("refit_epochs", refit_epochs, "epochs of a fit warm-started from the phase before",
      between(0, 100000));
    v("eval_every", eval_every, "epochs between validations, phase valid only", between(0, 100000));
    v.rule([this] { return dim % heads == 0; }, "heads must divide dim");
  }
};

struct HstuOptions : SequenceOptions {
  double rank_weight = 0;
  int rank_negatives = 16;
  HstuOptions() {
    blocks = heads = 2;
    learning_rate = 2e-3;
  }
  template <class V>
  void visit(V& v) {
    SequenceOptions::visit(v);
    v("rank_weight", rank_weight,
      "weight of the loss of candidates' own states; 0: none, they add nothing", between(0, 1000));
    v("rank_negatives", rank_negatives, "sampled candidates that this loss adds to a sequence",
      between(1, 100000));
  }
};

}  // namespace podium::train
