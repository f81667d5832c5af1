// What turns the slates of a run into tokens, opened from its files.
#pragma once

#include <optional>

#include "podium/base/files.h"
#include "podium/data/dataset.h"
#include "podium/rerank/prompt.h"
#include "podium/sid/codebook.h"
#include "podium/sid/item_vectors.h"
#include "podium/text/tokenizer.h"

namespace podium::rerank {

// Immutable and thread-safe. `prompts` points into it, so it stays where it was made.
struct PromptWorld {
  // The dataset must outlive it. Throws Error when a file is missing or damaged, or when the
  // semantic IDs belong to another dataset.
  PromptWorld(const data::Dataset& dataset, const fs::path& sid_dir, const fs::path& tokenizer_json,
              const PromptOptions& options);
  PromptWorld(const PromptWorld&) = delete;
  PromptWorld& operator=(const PromptWorld&) = delete;

  const text::Tokenizer tokenizer;
  const sid::SidTable sids;
  const Vocabulary vocabulary;
  const std::optional<sid::ItemVectors> texts;  // none: without text
  const PromptContext prompts;
};

}  // namespace podium::rerank
