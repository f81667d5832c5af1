// Policies that have learnt nothing yet.
#pragma once

#include "podium/base/files.h"
#include "podium/rerank/vocabulary.h"
#include "podium/train/qwen3.h"

namespace podium::train {

// A policy from scratch, a function of seed. Tokens of evidence begin as the sums of their kinds'
// levels: few slates show each of them, but all slates each level.
Qwen3 new_policy(const rerank::ModelSpec& spec, const rerank::Vocabulary& vocabulary,
                 uint64_t seed);

// A policy that starts from a public checkpoint, a directory or GGUF file that read_checkpoint and
// Tokenizer::load read. tokenizer: the checkpoint's own, extended (Tokenizer::extended). Rows of
// new tokens begin at the mean of the old ones plus noise of a tenth of their spread, those of
// evidence with noise made of that of their kinds' levels. Rows without a token are dropped. Throws
// Error when the tokenizer is of another model.
Qwen3 policy_from(const fs::path& checkpoint, const text::Tokenizer& tokenizer,
                  const rerank::Vocabulary& vocabulary, uint64_t seed);

}  // namespace podium::train
