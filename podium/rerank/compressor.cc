#include "podium/rerank/compressor.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace podium::rerank {
namespace {

enum Feature : size_t { kRarity = 4, kEarly, kPlace, kRepeated, kDigit, kCapital, kShort, kLength };

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// A word as it is counted: in lower case, without the punctuation around it.
std::string plain(std::string_view word) {
  const auto letter = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 128;
  };
  while (!word.empty() && !letter(word.front())) word.remove_prefix(1);
  while (!word.empty() && !letter(word.back())) word.remove_suffix(1);
  std::string lower(word);
  for (char& c : lower) c = char(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

void append_words(std::string_view text, TextField field, size_t part, std::vector<Word>& words) {
  for (size_t at = 0; at < text.size();) {
    while (at < text.size() && is_space(text[at])) ++at;
    const size_t begin = at;
    while (at < text.size() && !is_space(text[at])) ++at;
    if (at > begin) words.push_back({text.substr(begin, at - begin), field, uint16_t(part)});
  }
}

void describe(std::span<Word> words, const std::unordered_map<std::string, size_t>& items_with,
              size_t items) {
  std::unordered_set<std::string> said;
  std::array<float, 4> of_field = {}, place = {};
  for (const Word& word : words) ++of_field[size_t(word.field)];
  for (Word& word : words) {
    const std::string counted = plain(word.text);
    const auto field = size_t(word.field);
    auto& f = word.features;
    f[field] = 1;
    f[kRarity] = float(1 - std::log(double(items_with.at(counted))) / std::log(double(items) + 1));
    f[kEarly] = 1 / (1 + place[field]);
    f[kPlace] = place[field]++ / of_field[field];
    f[kRepeated] = said.insert(counted).second ? 0 : 1;
    f[kDigit] = std::ranges::any_of(counted, [](unsigned char c) { return std::isdigit(c) != 0; });
    f[kCapital] = std::isupper(static_cast<unsigned char>(word.text.front())) != 0;
    f[kShort] = counted.size() <= 2;
    f[kLength] = float(std::log(double(words.size())) / 8);
  }
}

KeptWords of_indices(size_t words, std::span<const size_t> indices) {
  KeptWords kept(words);
  for (const size_t i : indices) kept[i] = 1;
  return kept;
}

std::vector<size_t> all_indices(size_t n) {
  std::vector<size_t> indices(n);
  std::iota(indices.begin(), indices.end(), size_t{0});
  return indices;
}

void append(std::string& text, std::string_view word) {
  if (!text.empty()) text += ' ';
  text += word;
}

}  // namespace

ItemWords::ItemWords(const data::Dataset& dataset) : begin_{0} {
  std::unordered_map<std::string, size_t> items_with;
  for (ItemIndex item = 0; item < dataset.items(); ++item) {
    append_words(dataset.title(item), TextField::kTitle, 0, words_);
    append_words(dataset.brand(item), TextField::kBrand, 0, words_);
    const auto categories = dataset.categories(item);
    for (size_t c = 0; c < categories.size(); ++c) {
      append_words(categories[c], TextField::kCategory, c, words_);
    }
    append_words(dataset.description(item), TextField::kDescription, 0, words_);
    std::unordered_set<std::string> own;
    for (size_t i = begin_.back(); i < words_.size(); ++i) own.insert(plain(words_[i].text));
    for (const std::string& word : own) ++items_with[word];
    begin_.push_back(words_.size());
  }
  for (size_t item = 0; item < items(); ++item) {
    describe(std::span(words_).subspan(begin_[item], begin_[item + 1] - begin_[item]), items_with,
             items());
  }
}

double keep_probability(const WordWeights& weights, const Word& word) {
  double sum = 0;
  for (size_t i = 0; i < kWordFeatures; ++i) sum += weights[i] * double(word.features[i]);
  return 1 / (1 + std::exp(-sum));
}

KeptWords sample_kept(const WordWeights& weights, std::span<const Word> words, Rng& rng) {
  KeptWords kept;
  for (const Word& word : words) kept.push_back(rng.uniform() < keep_probability(weights, word));
  return kept;
}

KeptWords likely_kept(const WordWeights& weights, std::span<const Word> words) {
  KeptWords kept;
  for (const Word& word : words) kept.push_back(keep_probability(weights, word) > 0.5);
  return kept;
}

KeptWords first_words(size_t words, size_t count) {
  KeptWords kept(words);
  std::fill_n(kept.begin(), count, 1);
  return kept;
}

KeptWords random_words(size_t words, size_t count, Rng& rng) {
  auto indices = all_indices(words);
  rng.shuffle(std::span(indices));
  return of_indices(words, std::span(indices).first(count));
}

KeptWords rarest_words(std::span<const Word> words, size_t count) {
  auto indices = all_indices(words.size());
  std::ranges::stable_sort(indices, [&](size_t a, size_t b) {
    return words[a].features[kRarity] > words[b].features[kRarity];
  });
  return of_indices(words.size(), std::span(indices).first(count));
}

std::string kept_text(std::span<const Word> words, const KeptWords& kept) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (kept[i] != 0) append(text, words[i].text);
  }
  return text;
}

Json kept_fields(std::span<const Word> words, const KeptWords& kept) {
  std::array<std::string, 4> fields;
  std::vector<std::string> categories;
  for (size_t i = 0; i < words.size(); ++i) {
    if (kept[i] == 0) continue;
    if (words[i].field == TextField::kCategory) {
      if (categories.size() <= words[i].part) categories.resize(words[i].part + size_t{1});
      append(categories[words[i].part], words[i].text);
    } else {
      append(fields[size_t(words[i].field)], words[i].text);
    }
  }
  std::erase(categories, "");
  return {{"title", fields[size_t(TextField::kTitle)]},
          {"brand", fields[size_t(TextField::kBrand)]},
          {"categories", categories},
          {"description", fields[size_t(TextField::kDescription)]}};
}

double compression_reward(const Compression& c, double alpha) {
  const double shorter = std::max(0.0, 1 - c.share);
  const bool solvable = c.quality >= c.full_quality;
  const double judge =
      solvable ? 0.2 * c.information + 0.8 * c.quality : 0.8 * c.information + 0.2 * c.quality;
  return (alpha * shorter + (1 - alpha) * judge) * (c.ellipsis ? kEllipsisPenalty : 1);
}

}  // namespace podium::rerank
