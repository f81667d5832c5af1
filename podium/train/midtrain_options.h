// Options of mid-training; free of LibTorch, so that the pipeline may read them.
#pragma once

#include <string>

#include "podium/base/option_range.h"

namespace podium::train {

struct MidtrainOptions {
  int steps = 1500;
  int batch_tokens = 4096;
  double learning_rate = 2e-3;
  double weight_decay = 0.01;
  double dropout = 0;
  int window = 20;
  std::string codes_over = "trie";
  // Of the tokens; the rest is catalogue text.
  double sequence_share = 0.6, caption_share = 0.2, persona_share = 0.1;
  template <class V>
  void visit(V& v) {
    v("steps", steps, "mid-training steps", between(1, 10000000));
    v("batch_tokens", batch_tokens, "tokens a step", between(16, 10000000));
    v("learning_rate", learning_rate, "AdamW's peak step", between(1e-9, 10));
    v("weight_decay", weight_decay, "weight decay", between(0, 100));
    v("dropout", dropout, "share of what is read and of what each layer adds that is left out",
      between(0, 0.9));
    v("window", window, "items of a history that a document holds", between(2, 500));
    v("codes_over", codes_over,
      "what a code's probability is normalised over: the codes that lead to an item, or all tokens",
      one_of({"trie", "vocabulary"}));
    v("sequence_share", sequence_share, "share of sequential preference modelling", between(0, 1));
    v("caption_share", caption_share, "share of dense captioning", between(0, 1));
    v("persona_share", persona_share,
      "share of histories with what the user likes (the rest: catalogue text)", between(0, 1));
    v.rule([this] { return sequence_share + caption_share + persona_share <= 1 + 1e-9; },
           "sequence_share, caption_share and persona_share must be at most 1 together");
  }
};

}  // namespace podium::train
