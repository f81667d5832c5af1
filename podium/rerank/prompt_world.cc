#include "podium/rerank/prompt_world.h"

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

// Throws Error when they are of another dataset.
sid::SidTable sids_of(const data::Dataset& dataset, const fs::path& sid_dir) {
  sid::SidTable sids = sid::load_sid(sid_dir).table;
  if (sids.items() == dataset.items()) return sids;
  throw Error("the semantic IDs belong to another dataset", "make them again", sid_dir.string());
}

PromptContext with_texts(PromptContext context, const std::optional<sid::ItemVectors>& texts) {
  if (!texts) return context;
  context.texts = texts->values;
  context.text_width = texts->dim;
  return context;
}

}  // namespace

PromptWorld::PromptWorld(const data::Dataset& dataset, const fs::path& sid_dir,
                         const fs::path& tokenizer_json, const PromptOptions& options)
    : tokenizer(text::Tokenizer::load(tokenizer_json)),
      sids(sids_of(dataset, sid_dir)),
      vocabulary(tokenizer, sids.levels, sids.codes_per_level),
      texts(options.text ? std::optional<sid::ItemVectors>(
                               std::in_place, sid_dir / sid::kItemVectorsFile, dataset.items())
                         : std::nullopt),
      prompts(with_texts({tokenizer, vocabulary, sids, &dataset, options}, texts)) {}

}  // namespace podium::rerank
