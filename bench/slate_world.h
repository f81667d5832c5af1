// A catalogue of random semantic IDs, a vocabulary for it, and slates: what benchmarks of the
// engine run on.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "podium/base/rng.h"
#include "podium/rerank/evidence_teacher.h"
#include "podium/rerank/prompt.h"
#include "podium/runtime/test_weights.h"

namespace podium::bench {

constexpr int kLevels = 4, kCodes = 256, kTextTokens = 1024;
constexpr int kTextWidth = 384, kNumbers = 40;  // of all-MiniLM-L6-v2; about the ranker's features

// The catalogue, and the policy's vocabulary for it.
struct World {
  explicit World(size_t items = 10000)
      : tokenizer(trained()), vocabulary(tokenizer, kLevels, kCodes) {
    Rng rng(1);
    sids.levels = kLevels;
    sids.codes_per_level = kCodes;
    for (size_t i = 0; i < items * kLevels; ++i) sids.codes.push_back(uint16_t(rng.below(kCodes)));
  }
  static text::Tokenizer trained() {
    std::vector<std::string> texts;
    for (int repeat = 0; repeat < 20; ++repeat) {
      for (const auto& phrases : {rerank::trace_phrases(), rerank::prompt_phrases()}) {
        texts.insert(texts.end(), phrases.begin(), phrases.end());
      }
    }
    const auto added = rerank::added_tokens(kLevels, kCodes);
    return text::Tokenizer::train(texts, kTextTokens + int(added.size()), added);
  }
  rerank::PromptContext context() const {
    return {tokenizer, vocabulary, sids, nullptr, {.max_history = 1000}};
  }
  // Of prompts that show the items' text, too.
  rerank::PromptContext context_with(std::span<const float> texts) const {
    rerank::PromptContext context = this->context();
    context.texts = texts;
    context.text_width = kTextWidth;
    return context;
  }
  std::vector<float> random_texts() const {
    Rng rng(3);
    std::vector<float> texts(sids.items() * kTextWidth);
    for (float& value : texts) value = float(rng.normal() / std::sqrt(double(kTextWidth)));
    return texts;
  }

  rerank::Slate slate(Rng& rng, size_t history, size_t candidates) const {
    rerank::Slate slate;
    slate.id = std::to_string(rng.next());
    const size_t first = rng.below(sids.items());
    for (size_t i = 0; i < history + candidates; ++i) {
      const auto item = rerank::ItemIndex((first + i * 37) % sids.items());
      if (i < history) {
        slate.history.push_back(item);
        continue;
      }
      rerank::SlateCandidate candidate{.item = item};
      // Five kinds of evidence a candidate, as on MovieLens-100K.
      for (uint8_t& level : candidate.evidence) {
        level = uint8_t(rng.uniform() * int(rerank::kEvidenceKinds) < 5 ? 1 + rng.below(3) : 0);
      }
      slate.candidates.push_back(candidate);
    }
    return slate;
  }

  text::Tokenizer tokenizer;
  rerank::Vocabulary vocabulary;
  sid::SidTable sids;
};

}  // namespace podium::bench
