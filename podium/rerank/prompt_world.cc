#include "podium/rerank/prompt_world.h"

#include "podium/base/error.h"

namespace podium::rerank {

PromptWorld::PromptWorld(const data::Dataset& dataset, const fs::path& sid_dir,
                         const fs::path& tokenizer_json, const PromptOptions& options)
    : tokenizer(text::Tokenizer::load(tokenizer_json)),
      sids(sid::load_sid(sid_dir).table),
      vocabulary(tokenizer, sids.levels, sids.codes_per_level),
      prompts{tokenizer, vocabulary, sids, &dataset, options} {
  if (sids.items() != dataset.items()) {
    throw Error("the semantic IDs belong to another dataset", "make them anew", sid_dir.string());
  }
}

}  // namespace podium::rerank
