// Options of the training stages, free of LibTorch: shared by the pipeline, which passes them on as
// a TOML file, and podium-train, which obeys them. How the pipeline calls podium-train:
//
//   podium-train sasrec   --data DIR --phase slates|valid|test [--init DIR]
//   podium-train hstu     --data DIR --phase slates|valid|test [--init DIR]
//   podium-train midtrain --data DIR --sid DIR --tokenizer FILE
//   podium-train sft      --data DIR --sid DIR --policy DIR --slates DIR
//   podium-train rl       --data DIR --sid DIR --policy DIR --slates DIR [--no-trace]
//
// each with --config FILE.toml --seed N --out DIR --work DIR (checkpoints, kept through a kill).
// sft and rl measure themselves on --valid-slates DIR, or, without it, on a tenth of the slates
// that they then do not train on.
// A policy directory is a Hugging Face directory: config.json, model.safetensors, tokenizer.json.
#pragma once

#include <cstdint>
#include <string>

namespace podium::rerank {

// Of SASRec, and what other sequence models share with it.
struct SequenceOptions {
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
    v("dim", dim, "width of the model");
    v("blocks", blocks, "transformer blocks");
    v("heads", heads, "attention heads");
    v("max_len", max_len, "newest events of a user that the model reads");
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
      "weight of the loss of candidates' own states; 0: none, they add nothing");
    v("rank_negatives", rank_negatives, "sampled candidates that this loss adds to a sequence");
  }
};

// The policy's shape and vocabulary.
struct PolicyOptions {
  std::string size = "nano";  // see model_spec()
  int text_tokens = 1024;     // byte tokens and merges, SID and control tokens aside
  template <class V>
  void visit(V& v) {
    v("size", size, "nano (~1 M parameters), small (~6 M) or base (~25 M)");
    v("text_tokens", text_tokens, "byte-level BPE: byte tokens and merges");
  }
};

struct MidtrainOptions {
  int steps = 1500;
  int batch_tokens = 4096;
  double learning_rate = 2e-3;
  double weight_decay = 0.01;
  double sequence_share = 0.6, caption_share = 0.3;  // of the tokens; the rest is catalogue text
  template <class V>
  void visit(V& v) {
    v("steps", steps, "mid-training steps");
    v("batch_tokens", batch_tokens, "tokens a step");
    v("learning_rate", learning_rate, "AdamW's peak step");
    v("weight_decay", weight_decay, "weight decay");
    v("sequence_share", sequence_share, "share of sequential preference modelling");
    v("caption_share", caption_share, "share of dense captioning (the rest: catalogue text)");
  }
};

struct SftOptions {
  int epochs = 6;
  int batch_slates = 16;
  double learning_rate = 1e-3;
  double trace_weight = 0.3, answer_weight = 1.0;  // lambda_r < lambda_o
  double forced_weight = 0.1;  // of answer tokens that the grammar forces: they teach to copy SIDs
  double shuffle_share = 0.5;  // of the slates; closes position bias
  double no_trace_share = 0.25;  // of the slates, so that both modes start warm
  template <class V>
  void visit(V& v) {
    v("epochs", epochs, "passes over the accepted traces");
    v("batch_slates", batch_slates, "slates a step");
    v("learning_rate", learning_rate, "AdamW's peak step");
    v("trace_weight", trace_weight, "weight of the trace tokens, lambda_r");
    v("answer_weight", answer_weight, "weight of the answer tokens, lambda_o");
    v("forced_weight", forced_weight, "weight of answer tokens that the grammar forces");
    v("shuffle_share", shuffle_share, "share of slates shown with shuffled candidates");
    v("no_trace_share", no_trace_share, "share of slates answered without a trace");
  }
};

// DAPO (2503.14476).
struct RlOptions {
  int steps = 100;
  int prompts = 32;  // prompts a step with a spread of rewards (dynamic sampling)
  int rollouts = 8;  // G
  double learning_rate = 1e-4;
  double clip_low = 0.2, clip_high = 0.28;
  double temperature = 1.0;
  int max_trace = 64;
  double alpha = 0.1;                // weight of the format reward
  std::string rank = "ndcg-gain";    // auc, ndcg, auc-gain, ndcg-gain
  std::string gate = "conditional";  // or plain
  bool shuffle = true;               // candidates in random order in every other prompt
  int updates = 2;                   // optimizer steps a batch of rollouts, each on its share
  int epochs = 1;                    // passes over a batch of rollouts
  int eval_every = 10;               // steps between validations; the best policy is kept
  int eval_slates = 400;             // validation slates, at most
  template <class V>
  void visit(V& v) {
    v("steps", steps, "policy updates");
    v("prompts", prompts, "prompts a step, after groups without spread are dropped");
    v("rollouts", rollouts, "rollouts a prompt, G");
    v("learning_rate", learning_rate, "AdamW's step");
    v("clip_low", clip_low, "lower clip of the ratio: 1 - clip_low");
    v("clip_high", clip_high, "upper clip of the ratio: 1 + clip_high");
    v("temperature", temperature, "sampling temperature of the rollouts");
    v("max_trace", max_trace, "longest reasoning trace, tokens");
    v("alpha", alpha, "weight of the format reward");
    v("rank", rank, "rank reward: auc, ndcg, auc-gain or ndcg-gain");
    v("gate", gate, "conditional (no reward for what is no better than copying) or plain");
    v("shuffle", shuffle, "shuffle candidates in training, against position bias");
    v("updates", updates, "optimizer steps a batch of rollouts");
    v("epochs", epochs, "passes over a batch of rollouts");
    v("eval_every", eval_every, "steps between validations; the best policy is kept");
    v("eval_slates", eval_slates, "validation slates, at most");
  }
};

}  // namespace podium::rerank
