#include "podium/text/gguf_tokenizer.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "podium/base/error.h"
#include "podium/text/tokenizer_file.h"

namespace podium::text {
namespace {

// tokenizer.ggml.token_type
constexpr int64_t kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5;

struct Splitter {
  std::string_view pre;
  WordRule words;
  bool nfc, whole_words;
};
constexpr Splitter kSplitters[] = {{"gpt-2", WordRule::kGpt2, false, false},
                                   {"smollm", WordRule::kDigits, false, false},
                                   {"qwen2", WordRule::kQwen, true, false},
                                   {"llama-bpe", WordRule::kLlama3, false, true}};

[[noreturn]] void refuse_gguf(const std::string& what, std::string_view where) {
  throw Error(what, "use a GGUF file of a Qwen3, SmolLM2 or Llama 3 model", std::string(where));
}

const Splitter& splitter_of(const artifact::GgufFile& file, std::string_view where) {
  const auto model = file.get<std::string_view>("tokenizer.ggml.model");
  if (model != "gpt2") {
    refuse_gguf(
        fmt::format("the tokenizer's model is {}, only gpt2 (byte-level BPE) is supported", model),
        where);
  }
  const auto pre = file.get<std::string_view>("tokenizer.ggml.pre");
  for (const Splitter& splitter : kSplitters) {
    if (splitter.pre == pre) return splitter;
  }
  refuse_gguf(
      fmt::format("the tokenizer splits words by \"{}\"; known are gpt-2, smollm, qwen2 and "
                  "llama-bpe",
                  pre),
      where);
}

}  // namespace

Json gguf_tokenizer_json(const artifact::GgufFile& file, std::string_view where) {
  const Splitter& splitter = splitter_of(file, where);
  const auto& tokens = file.array<std::string_view>("tokenizer.ggml.tokens");
  const auto& types = file.array<int64_t>("tokenizer.ggml.token_type");
  if (types.size() != tokens.size())
    refuse_gguf("tokens and their types are not of one number", where);
  size_t count = tokens.size();
  while (count > 0 && types[count - 1] == kUnused) --count;
  Json vocab = Json::object(), added = Json::array();
  for (size_t id = 0; id < count; ++id) {
    const int64_t type = types[id];
    if (type != kNormal && type != kControl && type != kUserDefined) {
      refuse_gguf(fmt::format("token {} has type {}, which podium does not know", id, type), where);
    }
    if (!vocab.emplace(std::string(tokens[id]), id).second) {
      refuse_gguf(fmt::format("token {} is spelled as one before it", id), where);
    }
    if (type == kNormal) continue;
    added.push_back({{"id", id}, {"content", tokens[id]}, {"special", type == kControl}});
  }
  TokenizerFile form;
  form.words = splitter.words;
  form.nfc = splitter.nfc;
  form.whole_words = splitter.whole_words;
  Json json = to_tokenizer_json(form);
  json["added_tokens"] = std::move(added);
  json["model"]["vocab"] = std::move(vocab);
  json["model"]["merges"] = file.array<std::string_view>("tokenizer.ggml.merges");
  return json;
}

}  // namespace podium::text
