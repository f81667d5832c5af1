// Options of supervised fine-tuning; free of LibTorch, so that the pipeline may read them.
#pragma once

#include <string>

#include "podium/base/option_range.h"

namespace podium::train {

struct SftOptions {
  int epochs = 6;
  int batch_slates = 16;
  double learning_rate = 1e-3;
  double trace_weight = 0.3, answer_weight = 1.0;  // lambda_r < lambda_o
  double form_weight = 0.1;  // of every token's form, so that answers are valid without a grammar
  double no_trace_share = 0.25;  // of the slates, so that both modes start warm
  double label_weight = 0;       // of what the user chose, wherever an answer stands
  int label_ranks = 10;          // of an answer, whose choices labels teach
  double dropout = 0;            // share of what is read and of what layers add
  int eval_every = 200;          // steps between validations; the best policy is kept
  int eval_slates = 1000;        // validation slates, at most
  int max_trace = 96;            // of validation; not visited: a whole run has one
  template <class V>
  void visit(V& v) {
    v("epochs", epochs, "passes over the accepted traces", between(1, 100000));
    v("batch_slates", batch_slates, "slates a step", between(1, 100000));
    v("learning_rate", learning_rate, "AdamW's peak step", between(1e-9, 10));
    v("trace_weight", trace_weight, "weight of the trace tokens, lambda_r", between(0, 1000));
    v("answer_weight", answer_weight, "weight of the answer tokens, lambda_o",
      between(0.000001, 1000));
    v("form_weight", form_weight,
      "weight of the form of an answer's tokens, which makes answers valid without a grammar",
      between(0, 1000));
    v("no_trace_share", no_trace_share, "share of slates answered without a trace", between(0, 1));
    v("label_weight", label_weight,
      "weight of the user's own choice in an answer without a trace, of every slate; 0: the "
      "teacher's answers only",
      between(0, 1000));
    v("label_ranks", label_ranks, "first ranks of an answer that learn the user's own choice",
      between(1, 1000));
    v("dropout", dropout, "share of what is read and of what each layer adds that is left out",
      between(0, 0.9));
    v("eval_every", eval_every,
      "steps between validations in the second half; the best policy is kept",
      between(1, 10000000));
    v("eval_slates", eval_slates, "validation slates, at most", between(1, 1000000000));
    v.rule([this] { return trace_weight < answer_weight; },
           "trace_weight must be less than answer_weight");
  }
};

}  // namespace podium::train
