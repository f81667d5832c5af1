// Options of structured pruning; free of LibTorch as the other options are.
#pragma once

#include "podium/base/option_range.h"

namespace podium::train {

struct PruneOptions {
  double keep = 0.5;  // share of the layers' weights
  int slates = 512;   // that importance is measured on
  int steps = 300;    // of recovery; 0: none
  int batch_slates = 16;
  double learning_rate = 5e-4;
  int ranks = 10;  // first ranks of an answer that recovery follows
  int eval_every = 50;
  int eval_slates = 1000;
  template <class V>
  void visit(V& v) {
    v("keep", keep, "share of the layers' weights, so of a token's multiplications, that stays",
      below(0.01, 1));
    v("slates", slates, "training slates that importance is measured on", between(1, 1000000));
    v("steps", steps, "steps of recovery: distillation from the unpruned policy",
      between(0, 10000000));
    v("batch_slates", batch_slates, "slates a step", between(1, 100000));
    v("learning_rate", learning_rate, "AdamW's peak step", between(1e-9, 10));
    v("ranks", ranks, "first ranks of an answer that recovery follows", between(1, 1000));
    v("eval_every", eval_every, "steps between validations; the best policy is kept",
      between(1, 10000000));
    v("eval_slates", eval_slates, "validation slates, at most", between(1, 1000000000));
  }
};

}  // namespace podium::train
