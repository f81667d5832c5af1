// The policy's shape and its tensor table: one list of names and shapes for the trainer, the
// exporter and the runtime. Architectures of Hugging Face: `Qwen3ForCausalLM` and, without its
// norms of query and key heads, `LlamaForCausalLM`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/json.h"
#include "podium/rerank/rope.h"

namespace podium::rerank {

inline constexpr size_t kScores = 2;    // of a candidate: the upstream's, the ranker's
inline constexpr size_t kLikeness = 4;  // of a candidate to those put before it: runtime/likeness.h

struct ModelSpec {
  int vocab = 0;
  int hidden = 128;
  int layers = 4;
  int heads = 4;             // query heads
  int kv_heads = 2;          // heads % kv_heads == 0
  int head_dim = 32;         // independent of hidden / heads, even
  int ffn = 320;             // SwiGLU's inner width
  int max_positions = 4096;  // a slate of 100 candidates, its evidence, trace and answer
  Rope rope = {};
  double norm_eps = 1e-6;
  bool tied = true;        // output embedding = input embedding
  bool head_norms = true;  // RMS norms of query and key heads: Qwen3 has them, Llama has not

  // What slates need beyond a language model, 0: none of it (tensor_table's "podium." tensors).
  //   item's last code += text v               v: the vector of the item's text [text_width]
  //   candidate i's name += numbers f          f: its numbers [numbers]
  //   logit of choosing candidate i = scale . (s_i, f) + (query h) . (key x_i) / sqrt(choice)
  //                                    + (bias + user h) . l_i        in an answer
  // s_i: Prompt::scores [kScores]; h: the final state that chooses; x_i: the name's state as the
  // last layer reads it, so that it costs no further pass; l_i: how like it is to what the answer
  // has put [kLikeness]. key, bias and user begin at zero, scale at (1, 0, 0, ...): the upstream's
  // order. Without a grammar come to it the logit of the name's token and, if the answer has put it
  // already, `stands`, which begins at zero. Without `choice` the logit is that of the name's
  // token.
  int text_width = 0, numbers = 0, choice = 0;
  bool reads_slates() const { return choice > 0; }

  int64_t parameters() const;
};

// "pico" (~0.25 M parameters at a 2.6 k vocabulary), "nano" (~1 M), "small" (~6 M), "base" (~25 M).
ModelSpec model_spec(std::string_view size, int vocab);

struct TensorSpec {
  std::string name;            // Hugging Face name, "model.layers.0.self_attn.q_proj.weight"
  std::vector<int64_t> shape;  // row-major, linear weights [out, in]

  int64_t elements() const;
};
std::vector<TensorSpec> tensor_table(const ModelSpec& spec);
inline constexpr std::string_view kEmbedding = "model.embed_tokens.weight";  // [vocab, hidden]
inline constexpr std::string_view kHead = "lm_head.weight";                  // the same, untied

// config.json of a Hugging Face directory, both ways. Reading checks every field's range, and
// refuses by name what would make the model compute something else, keys that podium does not know
// included (unless they are null, false or empty). Without tie_word_embeddings the head is untied.
Json to_config_json(const ModelSpec& spec);
ModelSpec from_config_json(const Json& config, std::string_view where);

}  // namespace podium::rerank
