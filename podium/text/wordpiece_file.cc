#include "podium/text/wordpiece_file.h"

#include <fmt/format.h>

#include <unordered_set>

#include "podium/base/error.h"
#include "podium/base/json_fields.h"

namespace podium::text {
namespace {

constexpr std::string_view kBertCure = "use the tokenizer of an uncased BERT checkpoint";
constexpr int32_t kMaxPieces = 1 << 21;

// Hugging Face's own defaults are those of an uncased model.
void check_lower_case(const JsonFields& fields, std::string_view lower, std::string_view cjk) {
  fields.expect(lower, true);
  fields.expect(cjk, true);
  fields.expect("strip_accents", true);  // or null: as the case
}

class WordPieceJson {
 public:
  WordPieceJson(const Json& json, std::string_view where)
      : where_(where), top_(json, "the tokenizer", kBertCure, where) {}

  WordPieceFile read() const {
    const JsonFields normalizer = part("normalizer"), words = part("pre_tokenizer");
    const JsonFields model = part("model");
    normalizer.expect("type", "BertNormalizer");
    normalizer.expect("clean_text", true);
    check_lower_case(normalizer, "lowercase", "handle_chinese_chars");
    words.expect("type", "BertPreTokenizer");
    model.expect("type", "WordPiece");
    model.expect("unk_token", "[UNK]");
    model.expect("continuing_subword_prefix", "##");
    WordPieceFile file;
    if (model.find("max_input_chars_per_word") != nullptr) {
      file.max_characters = model.integer("max_input_chars_per_word", 1, 1 << 20);
    }
    const Json& vocabulary = model.field("vocab");
    const JsonFields ids(vocabulary, "the vocabulary", kBertCure, where_);
    for (const auto& [piece, id] : vocabulary.items()) {
      file.vocabulary.emplace(piece, ids.integer(piece, 0, kMaxPieces));
    }
    check_added(file.vocabulary);
    return file;
  }

 private:
  JsonFields part(std::string_view name) const {
    return {top_.field(name), fmt::format("the tokenizer's {}", name), kBertCure, where_};
  }

  // Such a token would be cut out of the text before everything else.
  void check_added(const Vocabulary& vocabulary) const {
    const Json* added = top_.find("added_tokens");
    if (added == nullptr) return;
    for (const Json& token : *added) {
      const JsonFields fields(token, "an added token", kBertCure, where_);
      const Json& content = fields.field("content");
      const auto found =
          content.is_string() ? vocabulary.find(content.get<std::string>()) : vocabulary.end();
      if (found == vocabulary.end() || fields.field("id") != found->second ||
          !fields.boolean("special", false)) {
        fields.fail(fmt::format("the added token {} is no special token of the vocabulary",
                                JsonFields::shown(content)));
      }
    }
  }

  std::string where_;
  JsonFields top_;
};

WordPieceFile read_vocabulary(const fs::path& path) {
  WordPieceFile file;
  const std::string text = read_file(path);
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    const size_t next = end + 1;
    if (end > begin && text[end - 1] == '\r') --end;
    const auto id = int32_t(file.vocabulary.size());
    if (!file.vocabulary.emplace(text.substr(begin, end - begin), id).second || id > kMaxPieces) {
      throw Error(fmt::format("line {} is a piece that stands above already", id + 1),
                  std::string(kBertCure), path.string());
    }
    begin = next;
  }
  return file;
}

}  // namespace

WordPieceFile read_wordpiece(const fs::path& dir) {
  const fs::path json = dir / "tokenizer.json", config = dir / "tokenizer_config.json";
  if (fs::exists(json)) return WordPieceJson(read_json(json), json.string()).read();
  if (fs::exists(config)) {
    const Json options = read_json(config);
    check_lower_case({options, "the tokenizer's configuration", kBertCure, config.string()},
                     "do_lower_case", "tokenize_chinese_chars");
  }
  return read_vocabulary(dir / "vocab.txt");
}

}  // namespace podium::text
