// Options of the RQ-VAE; free of LibTorch, so that the pipeline may read them. Levels, codes and
// the drawn last level are those of sid/codebook.h.
#pragma once

#include "podium/base/option_range.h"

namespace podium::train {

struct RqVaeOptions {
  int latent = 32;   // width of the codebooks' space
  int hidden = 256;  // width of the encoder's first hidden layer, each next one half of it
  int depth = 2;     // hidden layers of the encoder; the decoder mirrors them
  int epochs = 60;
  int batch = 256;  // items a step
  double learning_rate = 1e-3;
  double commitment = 0.25;
  bool kmeans_start = true;
  bool ema = true;
  double ema_decay = 0.99;
  bool reset_dead = false;
  double diversity = 0;
  double contrastive = 0.1;
  double temperature = 0.1;
  bool sinkhorn = false;
  template <class V>
  void visit(V& v) {
    v("latent", latent, "width of the codebooks' space", between(1, 4096));
    v("hidden", hidden, "width of the encoder's first hidden layer, each next one half of it",
      between(1, 65536));
    v("depth", depth, "hidden layers of the encoder; the decoder mirrors them", between(0, 8));
    v("epochs", epochs, "epochs", between(1, 1000000));
    v("batch", batch, "items a step", between(2, 1000000));
    v("learning_rate", learning_rate, "Adam's peak step", between(1e-9, 10));
    v("commitment", commitment, "weight of the pull of residuals to their codes", between(0, 1000));
    v("kmeans_start", kmeans_start,
      "an epoch without codes, then codebooks by k-means; else they begin at random");
    v("ema", ema, "codes are moving averages of their residuals; else they follow gradients");
    v("ema_decay", ema_decay, "decay of these averages a step", between(0.5, 0.99999));
    v("reset_dead", reset_dead, "codes that an epoch left unused move to drawn residuals");
    v("diversity", diversity, "weight of the loss of unevenly used codes", between(0, 1000));
    v("contrastive", contrastive,
      "weight of the loss that draws items together that follow one another in histories",
      between(0, 1000));
    v("temperature", temperature, "of the contrastive loss", between(1e-3, 100));
    v("sinkhorn", sinkhorn, "the last level shared out evenly below each prefix (Sinkhorn)");
    v.rule([this] { return hidden >> (depth > 0 ? depth - 1 : 0) >= 1; },
           "hidden must not be halved to nothing: raise it or lower depth");
  }
};

}  // namespace podium::train
