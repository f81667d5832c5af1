// The policy's shape and vocabulary, and what of it learns; free of LibTorch, so that the pipeline
// may read it.
#pragma once

#include <string>

#include "podium/base/option_range.h"

namespace podium::train {

struct PolicyOptions {
  std::string size = "nano";  // see model_spec()
  int text_tokens = 1024;     // byte tokens and merges, SID and control tokens aside
  // A Qwen3 or Llama checkpoint (docs/checkpoints.md) that the policy starts from, with its
  // tokenizer; size and text_tokens are then its own. Empty: a new policy.
  std::string backbone;
  template <class V>
  void visit(V& v) {
    v("size", size,
      "of the policy: pico (~0.25 M parameters), nano (~1 M), small (~6 M), base (~25 M)",
      one_of({"pico", "nano", "small", "base"}));
    v("text_tokens", text_tokens, "byte-level BPE: byte tokens and merges", between(256, 1000000));
    v("backbone", backbone,
      "directory or GGUF file of a Qwen3 or Llama model to start from, with its tokenizer; empty: "
      "a "
      "new policy");
  }
};

// What of a policy learns (learnt.h), and how its gradients are computed.
struct AdaptOptions {
  bool freeze = false;
  int rank = 0;
  double alpha = 16;
  std::string projections = "all";
  bool recompute = false;
  std::string precision = "fp32";
  template <class V>
  void visit(V& v) {
    v("freeze", freeze,
      "of the backbone nothing learns, but the tokens that podium added, what reads slates, and "
      "adapters");
    v("rank", rank, "of LoRA adapters of a frozen backbone's projections; 0: none",
      between(0, 4096));
    v("alpha", alpha, "LoRA's weight: adapters count alpha / rank", between(1e-6, 1e6));
    v("projections", projections, "that adapters change", one_of({"all", "attention", "qv"}));
    v("recompute", recompute,
      "layers' inner values are computed again in the backward pass: less memory, a third more "
      "time");
    v("precision", precision,
      "of the products with layers' weights in training: bf16 is for GPUs, weights and sums stay "
      "fp32",
      one_of({"fp32", "bf16"}));
    v.rule([this] { return rank == 0 || freeze; }, "adapt.rank needs adapt.freeze");
  }
};

}  // namespace podium::train
