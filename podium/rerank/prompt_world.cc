#include "podium/rerank/prompt_world.h"

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

constexpr const char* kVectors = "item_vectors.safetensors";

std::optional<artifact::SafetensorsFile> open_texts(const fs::path& sid_dir, bool wanted) {
  if (!wanted) return std::nullopt;
  return std::optional<artifact::SafetensorsFile>(std::in_place, sid_dir / kVectors);
}

PromptContext with_texts(PromptContext context,
                         const std::optional<artifact::SafetensorsFile>& texts) {
  if (!texts) return context;
  context.texts = texts->get<float>("vectors");
  context.text_width = size_t(texts->tensor("vectors").shape.at(1));
  return context;
}

}  // namespace

PromptWorld::PromptWorld(const data::Dataset& dataset, const fs::path& sid_dir,
                         const fs::path& tokenizer_json, const PromptOptions& options)
    : tokenizer(text::Tokenizer::load(tokenizer_json)),
      sids(sid::load_sid(sid_dir).table),
      vocabulary(tokenizer, sids.levels, sids.codes_per_level),
      texts(open_texts(sid_dir, options.text)),
      prompts(with_texts({tokenizer, vocabulary, sids, &dataset, options}, texts)) {
  if (sids.items() != dataset.items() ||
      prompts.texts.size() != dataset.items() * prompts.text_width) {
    throw Error("the semantic IDs belong to another dataset", "make them anew", sid_dir.string());
  }
}

}  // namespace podium::rerank
