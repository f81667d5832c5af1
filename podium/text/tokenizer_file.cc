#include "podium/text/tokenizer_file.h"

#include <fmt/format.h>

#include <array>
#include <unordered_map>
#include <unordered_set>

#include "podium/base/error.h"
#include "podium/text/pretokenize.h"

namespace podium::text {
namespace {

constexpr int32_t kByteTokens = 256;

void append_code(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  }
}

// GPT-2's printable stand-ins of bytes: printable Latin-1 stands for itself, the rest follow 255.
std::array<std::string, kByteTokens> byte_letters() {
  std::array<std::string, kByteTokens> letters;
  uint32_t next = 256;
  for (uint32_t b = 0; b < kByteTokens; ++b) {
    const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    append_code(letters[b], printable ? b : next++);
  }
  return letters;
}

Json byte_level() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", false},
          {"use_regex", false}};
}

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 80) text = text.substr(0, 80) + "...";
  return text;
}

class TokenizerReader {
 public:
  TokenizerReader(const Json& json, std::string_view where) : json_(json), where_(where) {}

  TokenizerFile read() {
    check_form();
    read_vocab();
    check_bytes();
    TokenizerFile file;
    read_merges(file);
    if (ids_.size() != spellings_.size()) {
      fail(fmt::format("the vocabulary has {} tokens, bytes and merges make {}", ids_.size(),
                       spellings_.size()));
    }
    read_added(file);
    return file;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(what, "use a tokenizer that podium trained, as `podium train` writes it",
                std::string(where_));
  }

  static const Json& member(const Json& object, const char* name) {
    static const Json null;
    const auto at = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && at != object.end() ? *at : null;
  }

  // A member that must be absent, null, or this.
  void expect(const Json& object, const char* name, const Json& wanted) const {
    const Json& value = member(object, name);
    if (value.is_null() || value == wanted) return;
    fail(fmt::format("the tokenizer's {} is {}, only {} is supported", name, shown(value),
                     wanted.is_null() ? "null" : shown(wanted)));
  }

  // A stage that must be absent, or ByteLevel without a rule of its own.
  void expect_byte_level(const char* name) const {
    const Json& stage = member(json_, name);
    if (!stage.is_null() && member(stage, "type") != "ByteLevel") {
      fail(fmt::format("the tokenizer's {} is {}, only null or ByteLevel is supported", name,
                       shown(member(stage, "type"))));
    }
  }

  void check_form() const {
    if (!json_.is_object()) fail("the tokenizer is not a JSON object");
    const Json& model = member(json_, "model");
    if (!model.is_object()) fail("the tokenizer has no model");
    expect(model, "type", "BPE");
    for (const char* name : {"dropout", "unk_token"}) expect(model, name, nullptr);
    for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      expect(model, name, "");
    }
    for (const char* name : {"fuse_unk", "byte_fallback", "ignore_merges"}) {
      expect(model, name, false);
    }
    for (const char* name : {"normalizer", "truncation", "padding"}) expect(json_, name, nullptr);
    expect_byte_level("post_processor");
    expect_byte_level("decoder");
    check_words();
  }

  void check_words() const {
    const Json& pre = member(json_, "pre_tokenizer");
    const Json& steps = member(pre, "pretokenizers");
    if (member(pre, "type") != "Sequence" || !steps.is_array() || steps.size() != 2) {
      fail(fmt::format("the pre-tokenizer is {}, not podium's Split and ByteLevel",
                       shown(member(pre, "type"))));
    }
    const Json &split = steps[0], &bytes = steps[1];
    if (member(split, "type") != "Split" || member(bytes, "type") != "ByteLevel" ||
        member(member(split, "pattern"), "Regex") != kSplitPattern) {
      fail("this tokenizer splits words in another way");
    }
    expect(split, "behavior", "Isolated");
    expect(split, "invert", false);
    if (member(bytes, "add_prefix_space") != false || member(bytes, "use_regex") != false) {
      fail(
          "this tokenizer splits words in another way: ByteLevel must neither add spaces nor "
          "split");
    }
  }

  void read_vocab() {
    const Json& vocab = member(member(json_, "model"), "vocab");
    if (!vocab.is_object()) fail("the tokenizer has no vocabulary");
    ids_.reserve(vocab.size());
    for (const auto& [spelling, id] : vocab.items()) {
      if (!id.is_number_unsigned() || id.get<uint64_t>() >= vocab.size()) {
        fail(fmt::format("token {} has id {}, outside 0 .. {}", shown(spelling), shown(id),
                         vocab.size() - 1));
      }
      ids_.emplace(spelling, id.get<int32_t>());
    }
  }

  // The id of a token that the bytes and merges so far make, or -1. An id that stands twice leaves
  // another without a token, so that it fails here.
  int32_t id_of(const std::string& spelling) const {
    const auto found = ids_.find(spelling);
    return found == ids_.end() || size_t(found->second) >= spellings_.size() ||
                   spellings_[size_t(found->second)] != spelling
               ? -1
               : found->second;
  }

  void make(const std::string& spelling) {
    const auto found = ids_.find(spelling);
    if (found == ids_.end() || size_t(found->second) != spellings_.size()) {
      fail(fmt::format("token {} must have id {}, as bytes come first and merges in their order",
                       shown(spelling), spellings_.size()));
    }
    spellings_.push_back(spelling);
  }

  void check_bytes() {
    for (const std::string& letter : byte_letters()) make(letter);
  }

  // Older files write "left right", newer ones ["left", "right"].
  std::pair<std::string, std::string> halves(const Json& merge) const {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      return {merge[0].get<std::string>(), merge[1].get<std::string>()};
    }
    const std::string text = merge.is_string() ? merge.get<std::string>() : "";
    const size_t space = text.find(' ');
    if (space == std::string::npos) fail(fmt::format("merge {} has no two halves", shown(merge)));
    return {text.substr(0, space), text.substr(space + 1)};
  }

  void read_merges(TokenizerFile& file) {
    const Json& merges = member(member(json_, "model"), "merges");
    if (!merges.is_array()) fail("the tokenizer has no list of merges");
    for (const Json& merge : merges) {
      const auto [left, right] = halves(merge);
      const int32_t left_id = id_of(left), right_id = id_of(right);
      if (left_id < 0 || right_id < 0) {
        fail(fmt::format("merge {} does not follow from earlier tokens", shown(merge)));
      }
      make(left + right);
      file.merges.emplace_back(left_id, right_id);
    }
  }

  void read_added(TokenizerFile& file) const {
    const Json& added = member(json_, "added_tokens");
    if (!added.is_array() && !added.is_null()) fail("added_tokens is not a list");
    std::unordered_set<std::string> taken;
    for (const Json& token : added) {
      const Json &id = member(token, "id"), &content = member(token, "content");
      if (!content.is_string()) fail("an added token has no content");
      if (id != spellings_.size() + file.added.size()) {
        fail(fmt::format("added token {} has id {}, not {}: added tokens must follow the merges",
                         shown(content), shown(id), spellings_.size() + file.added.size()));
      }
      for (const char* name : {"single_word", "lstrip", "rstrip", "normalized"}) {
        expect(token, name, false);
      }
      file.added.push_back(content.get<std::string>());
      if (file.added.back().empty() || !taken.insert(file.added.back()).second) {
        fail(fmt::format("added token {} is empty or given twice", shown(content)));
      }
    }
  }

  const Json& json_;
  std::string_view where_;
  std::unordered_map<std::string, int32_t> ids_;  // of the vocabulary
  std::vector<std::string> spellings_;            // of the ids that bytes and merges have made
};

}  // namespace

Json to_tokenizer_json(const TokenizerFile& file) {
  Json vocab = Json::object(), merges = Json::array(), added = Json::array();
  std::vector<std::string> spellings;
  const auto make = [&](std::string spelling) {
    vocab[spelling] = spellings.size();
    spellings.push_back(std::move(spelling));
  };
  for (std::string& letter : byte_letters()) make(std::move(letter));
  for (const auto& [left, right] : file.merges) {
    merges.push_back(spellings[size_t(left)] + " " + spellings[size_t(right)]);
    make(spellings[size_t(left)] + spellings[size_t(right)]);
  }
  for (const std::string& spelling : file.added) {
    added.push_back({{"id", spellings.size() + added.size()},
                     {"content", spelling},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json split = {{"type", "Split"},
                      {"pattern", {{"Regex", kSplitPattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, byte_level()}}}},
          {"post_processor", nullptr},
          {"decoder", byte_level()},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"vocab", vocab},
            {"merges", merges}}}};
}

TokenizerFile from_tokenizer_json(const Json& json, std::string_view where) {
  return TokenizerReader(json, where).read();
}

}  // namespace podium::text
