// The context compressor (GR2 technical report, arXiv 2606.31984, section 5, eq. 10-11): which
// words of an item's text a reader is given. Extractive: what is kept is the item's own words, in
// their order and in their field. A word stays with the probability sigmoid(weights . features).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/json.h"
#include "podium/base/rng.h"
#include "podium/data/dataset.h"

namespace podium::rerank {

using data::ItemIndex;

enum class TextField : uint8_t { kTitle, kBrand, kCategory, kDescription };

// One for each field; then: rarity (1: one item only, 0: all), 1 / (1 + place in the field), place
// / words of the field, said before in this item, holds a digit, begins with a capital, at most two
// letters, log(words of the item) / 8.
inline constexpr size_t kWordFeatures = 12;
using WordWeights = std::array<double, kWordFeatures>;

struct Word {
  std::string_view text;  // without white space
  TextField field;
  uint16_t part = 0;  // of the field: which category
  std::array<float, kWordFeatures> features = {};
};

// The words of all items, in the order of Dataset::item_text(). The dataset must outlive it.
class ItemWords {
 public:
  explicit ItemWords(const data::Dataset& dataset);

  std::span<const Word> of(ItemIndex item) const {
    return std::span(words_).subspan(begin_[item], begin_[item + 1] - begin_[item]);
  }
  size_t items() const { return begin_.size() - 1; }

 private:
  std::vector<Word> words_;
  std::vector<size_t> begin_;  // [items + 1]
};

using KeptWords = std::vector<uint8_t>;  // [words of an item], 1: stays

double keep_probability(const WordWeights& weights, const Word& word);
KeptWords sample_kept(const WordWeights& weights, std::span<const Word> words, Rng& rng);
KeptWords likely_kept(const WordWeights& weights, std::span<const Word> words);

// For comparison, `count` of an item's words: its first, at random, its rarest.
KeptWords first_words(size_t words, size_t count);
KeptWords random_words(size_t words, size_t count, Rng& rng);
KeptWords rarest_words(std::span<const Word> words, size_t count);

// As Dataset::item_text() joins what is kept.
std::string kept_text(std::span<const Word> words, const KeptWords& kept);
// {"title", "brand", "categories", "description"} of what is kept, as catalogues are imported.
Json kept_fields(std::span<const Word> words, const KeptWords& kept);

// What became of a slate's text.
struct Compression {
  double share = 1;         // |c| / |x|: words kept of those of the slate's items
  double information = 1;   // P, 0 to 1
  double quality = 0;       // Q, 0 to 1, of the answer from the compressed text
  double full_quality = 0;  // from the whole text; the task stays solvable when Q is not below it
  bool ellipsis = false;    // "..." stands where words were
};
inline constexpr double kEllipsisPenalty = 0.5;

// (alpha R_comp + (1 - alpha) R_judge) * ellipsis penalty, R_comp = max(0, 1 - share), R_judge =
// 0.2 P + 0.8 Q where the task stays solvable, else 0.8 P + 0.2 Q.
double compression_reward(const Compression& compression, double alpha);

}  // namespace podium::rerank
