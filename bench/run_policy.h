// A policy of a finished run with its prompts (made with the default options), and the run's
// slates.
#pragma once

#include "podium/rerank/prompt.h"
#include "podium/rerank/slate.h"
#include "podium/sid/codebook.h"

namespace podium::bench {

// model: a Hugging Face directory with its tokenizer; sid: the run's semantic IDs.
struct RunPolicy {
  RunPolicy(const fs::path& model, const fs::path& sid)
      : tokenizer(text::Tokenizer::load(model / "tokenizer.json")),
        sids(sid::load_sid(sid).table),
        vocabulary(tokenizer, sids.levels, sids.codes_per_level),
        context{tokenizer, vocabulary, sids, nullptr, {}} {}
  RunPolicy(const RunPolicy&) = delete;

  text::Tokenizer tokenizer;
  sid::SidTable sids;
  rerank::Vocabulary vocabulary;
  rerank::PromptContext context;  // of the others
};

inline std::vector<rerank::Slate> test_slates(const fs::path& run) {
  return rerank::read_slates(run / "stages" / "upstream" / "slates" / "test");
}

}  // namespace podium::bench
