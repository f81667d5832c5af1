#include "podium/text/wordpiece.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>

#include "podium/base/error.h"

namespace podium::text {
namespace {

constexpr std::string_view kGoesOn = "##";
constexpr utf8proc_int32_t kReplacement = 0xFFFD;

// What BERT calls CJK: ideographs, and neither kana nor hangul.
constexpr std::pair<utf8proc_int32_t, utf8proc_int32_t> kIdeographs[] = {
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0x2F800, 0x2FA1F}};

bool is_ideograph(utf8proc_int32_t c) {
  return std::any_of(std::begin(kIdeographs), std::end(kIdeographs),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

bool is_space(utf8proc_int32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return true;
  const auto category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP;
}

bool is_dropped(utf8proc_int32_t c) {
  const auto category = utf8proc_category(c);
  return c == kReplacement || category == UTF8PROC_CATEGORY_CC ||
         category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CO;
}

bool is_punctuation(utf8proc_int32_t c) {
  if (c < 0x80) return std::ispunct(int(c)) != 0;  // symbols of ASCII too
  const auto category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

void append(utf8proc_int32_t c, std::string& text) {
  utf8proc_uint8_t bytes[4];
  const auto size = utf8proc_encode_char(c, bytes);
  text.append(reinterpret_cast<const char*>(bytes), size_t(size));
}

// body(character) for each of the text.
template <class Body>
void each_character(std::string_view text, const Body& body) {
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = utf8proc_ssize_t(text.size());
  while (left > 0) {
    utf8proc_int32_t c = kReplacement;
    const auto size = std::max<utf8proc_ssize_t>(1, utf8proc_iterate(at, left, &c));
    body(c < 0 ? kReplacement : c);
    at += size;
    left -= size;
  }
}

std::string cleaned(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  each_character(text, [&](utf8proc_int32_t c) {
    if (is_space(c)) {
      clean += ' ';
    } else if (is_ideograph(c)) {
      clean += ' ';
      append(c, clean);
      clean += ' ';
    } else if (!is_dropped(c)) {
      append(c, clean);
    }
  });
  return clean;
}

// NFD, in UTF-32; text is valid UTF-8.
std::vector<utf8proc_int32_t> decomposed(std::string_view text) {
  const auto* from = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  std::vector<utf8proc_int32_t> characters(text.size());
  const auto decompose = [&] {
    return utf8proc_decompose(from, utf8proc_ssize_t(text.size()), characters.data(),
                              utf8proc_ssize_t(characters.size()), UTF8PROC_DECOMPOSE);
  };
  utf8proc_ssize_t size = decompose();
  if (size > utf8proc_ssize_t(characters.size())) {
    characters.resize(size_t(size));
    size = decompose();
  }
  PODIUM_CHECK(size >= 0);
  characters.resize(size_t(size));
  return characters;
}

size_t count_characters(std::string_view text) {
  return size_t(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

std::vector<std::string> bert_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto close = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const utf8proc_int32_t c : decomposed(cleaned(text))) {
    if (utf8proc_category(c) == UTF8PROC_CATEGORY_MN) continue;
    if (c == ' ') {
      close();
    } else if (is_punctuation(c)) {
      close();
      append(c, word);
      close();
    } else {
      append(utf8proc_tolower(c), word);
    }
  }
  close();
  return words;
}

WordPiece::WordPiece(WordPieceFile file, std::string_view where)
    : max_characters_(size_t(file.max_characters)) {
  const auto special = [&](std::string_view name) {
    const auto found = file.vocabulary.find(name);
    if (found != file.vocabulary.end()) return found->second;
    throw Error(fmt::format("the vocabulary has no token {}", name),
                "use the tokenizer of a BERT checkpoint", std::string(where));
  };
  unknown_ = special("[UNK]");
  begin_ = special("[CLS]");
  end_ = special("[SEP]");
  for (auto& [piece, id] : file.vocabulary) {
    largest_ = std::max(largest_, id);
    if (piece.size() > kGoesOn.size() && piece.starts_with(kGoesOn)) {
      further_.emplace(piece.substr(kGoesOn.size()), id);
    }
  }
  pieces_ = std::move(file.vocabulary);
}

int32_t WordPiece::cut_piece(std::string_view& word, const Vocabulary& pieces) const {
  for (size_t size = word.size(); size > 0; --size) {
    const auto found = pieces.find(word.substr(0, size));
    if (found == pieces.end()) continue;
    word.remove_prefix(size);
    return found->second;
  }
  return -1;
}

void WordPiece::append_word(std::string_view word, std::vector<int32_t>& ids) const {
  const size_t before = ids.size();
  if (count_characters(word) <= max_characters_) {
    ids.push_back(cut_piece(word, pieces_));
    while (!word.empty() && ids.back() >= 0) ids.push_back(cut_piece(word, further_));
    if (ids.back() >= 0) return;
  }
  ids.resize(before);
  ids.push_back(unknown_);
}

std::vector<int32_t> WordPiece::encode(std::string_view text, size_t max_tokens) const {
  PODIUM_CHECK(max_tokens >= 2);
  std::vector<int32_t> ids = {begin_};
  for (const std::string& word : bert_words(text)) {
    append_word(word, ids);
    if (ids.size() + 1 >= max_tokens) break;
  }
  ids.resize(std::min(ids.size(), max_tokens - 1));
  ids.push_back(end_);
  return ids;
}

}  // namespace podium::text
