// The tokenizer that a GGUF file carries ("tokenizer.ggml.*").
#pragma once

#include <string_view>

#include "podium/artifact/gguf.h"
#include "podium/base/json.h"

namespace podium::text {

// As a tokenizer.json says it, whose checks then apply (tokenizer_file.h). tokenizer.ggml.pre names
// the way of splitting words: gpt-2, smollm, qwen2 or llama-bpe; others throw Error, as do other
// models than byte-level BPE ("gpt2"). Tokens that fill the embedding up at its end are left out.
Json gguf_tokenizer_json(const artifact::GgufFile& file, std::string_view where);

}  // namespace podium::text
