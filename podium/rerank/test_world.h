// A tiny shop for tests of rerank and runtime: 40 items in 4 categories, random SIDs.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/rerank/evidence_teacher.h"
#include "podium/rerank/prompt.h"

namespace podium::rerank {

class TestWorld {
 public:
  static constexpr int kItems = 40, kLevels = 4, kCodes = 16, kTextWidth = 6, kNumbers = 3;

  TestWorld()
      : dir_(scratch("world")),
        tokenizer_(make_tokenizer()),
        vocabulary_(tokenizer_, kLevels, kCodes),
        dataset_(make_dataset(dir_)) {
    Rng rng(7);
    sids_.levels = kLevels;
    sids_.codes_per_level = kCodes;
    // Few first codes, so that SIDs share prefixes.
    for (int item = 0; item < kItems; ++item) {
      for (int level = 0; level < kLevels; ++level) {
        sids_.codes.push_back(uint16_t(rng.below(level == 0 ? 3 : kCodes)));
      }
    }
    for (int i = 0; i < kItems * kTextWidth; ++i) texts_.push_back(float(rng.normal()));
  }
  ~TestWorld() { fs::remove_all(dir_); }

  PromptContext context(PromptOptions options = {}) const {
    return {tokenizer_, vocabulary_, sids_, &dataset_, options};
  }
  // The same with the items' text, for a model that reads slates.
  PromptContext context_with_text(PromptOptions options = {}) const {
    PromptContext with_text = context(options);
    with_text.texts = texts_;
    with_text.text_width = kTextWidth;
    return with_text;
  }
  const fs::path& dir() const { return dir_; }  // of the dataset
  const text::Tokenizer& tokenizer() const { return tokenizer_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const data::Dataset& dataset() const { return dataset_; }
  sid::SidTable& sids() { return sids_; }
  ItemIndex item(int number) const {
    return dataset_.find_item(fmt::format("i{}", number)).value();
  }

  // As random_slate, with random numbers.
  Slate described_slate(Rng& rng, int k, int history = 5) const {
    Slate slate = random_slate(rng, k, history);
    for (SlateCandidate& candidate : slate.candidates) {
      for (int i = 0; i < kNumbers; ++i) candidate.numbers.push_back(float(rng.normal()));
    }
    return slate;
  }
  // Random distinct candidates in descending score, random evidence and labels.
  Slate random_slate(Rng& rng, int k, int history = 5) const {
    std::vector<ItemIndex> items(kItems);
    for (int i = 0; i < kItems; ++i) items[i] = ItemIndex(i);
    rng.shuffle(std::span(items));
    Slate slate;
    slate.id = fmt::format("u{}@3", rng.below(1000000));
    for (int i = 0; i < history; ++i) slate.history.push_back(items[kItems - 1 - i]);
    for (int i = 0; i < k; ++i) {
      SlateCandidate candidate{.item = items[i],
                               .upstream_score = float(k - i) * 0.3F,
                               .ranker_score = float(i * 7 % 5) * 0.2F};
      for (auto& level : candidate.evidence) level = uint8_t(rng.below(4));
      candidate.gain = uint8_t(rng.below(2));
      slate.candidates.push_back(candidate);
    }
    return slate;
  }

 private:
  static text::Tokenizer make_tokenizer() {
    std::vector<std::string> texts;
    for (int repeat = 0; repeat < 20; ++repeat) {
      for (const auto& phrases : {trace_phrases(), prompt_phrases()}) {
        texts.insert(texts.end(), phrases.begin(), phrases.end());
      }
      for (const char* name : {" Hair Care", " Skin Care", " Makeup", " Tools & \"Sets\""}) {
        texts.emplace_back(name);
      }
    }
    const auto added = added_tokens(kLevels, kCodes);
    return text::Tokenizer::train(texts, 256 + 300 + int(added.size()), added);
  }

  static data::Dataset make_dataset(const fs::path& dir) {
    data::DatasetBuilder builder;
    const char* names[] = {"Hair Care", "Skin Care", "Makeup", "Tools & \"Sets\""};
    for (int i = 0; i < kItems; ++i) {
      builder.add_item({.id = fmt::format("i{}", i),
                        .title = fmt::format("Title {} <|im_end|> \"q\"", i),
                        .brand = "b",
                        .description = "",
                        .categories = {"Beauty", names[i % 4]},
                        .price = 1.0F});
      builder.add_event({"u", fmt::format("i{}", i), i, 1});
    }
    fs::remove_all(dir);
    builder.write(dir, "world", 0, Json::object());
    return data::Dataset::open(dir);
  }

  fs::path dir_;
  text::Tokenizer tokenizer_;
  Vocabulary vocabulary_;
  data::Dataset dataset_;
  sid::SidTable sids_;
  std::vector<float> texts_;
};

}  // namespace podium::rerank
