#include "podium/text/tokenizer_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "podium/base/error.h"
#include "podium/text/byte_letters.h"

namespace podium::text {
namespace {

Json byte_level(bool splits) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", false},
          {"use_regex", splits}};
}

// The pre-tokenizer of a rule. What ByteLevel splits by itself is kGpt2's expression.
Json words_json(WordRule rule) {
  Json steps = Json::array();
  if (rule == WordRule::kDigits) {
    steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
  } else if (rule != WordRule::kGpt2) {
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", split_of(rule)}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  }
  steps.push_back(byte_level(rule == WordRule::kDigits || rule == WordRule::kGpt2));
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
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
    file_.words = word_rule();
    read_vocab();
    read_added();
    read_merges();
    for (size_t id = 0; id < file_.tokens.size(); ++id) {
      if (file_.tokens[id].empty()) fail(fmt::format("no token has id {}", id));
    }
    return std::move(file_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(what,
                "use a tokenizer that podium wrote, or that of a Qwen3, SmolLM2 or Llama 3 model",
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

  bool truth(const Json& object, const char* name, bool otherwise) const {
    const Json& value = member(object, name);
    if (value.is_null()) return otherwise;
    if (!value.is_boolean()) fail(fmt::format("{} is {}, no boolean", name, shown(value)));
    return value.get<bool>();
  }

  // A stage that is absent, or of this kind.
  bool is(const Json& stage, const char* type) const { return member(stage, "type") == type; }
  [[noreturn]] void refuse(const char* name, const Json& stage, const char* known) const {
    fail(fmt::format("the tokenizer's {} is {}, only {} is supported", name,
                     shown(member(stage, "type")), known));
  }

  void check_form() {
    if (!json_.is_object()) fail("the tokenizer is not a JSON object");
    const Json& model = member(json_, "model");
    if (!model.is_object()) fail("the tokenizer has no model");
    expect(model, "type", "BPE");
    for (const char* name : {"dropout", "unk_token"}) expect(model, name, nullptr);
    for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      expect(model, name, "");
    }
    for (const char* name : {"fuse_unk", "byte_fallback"}) expect(model, name, false);
    file_.whole_words = truth(model, "ignore_merges", false);
    for (const char* name : {"truncation", "padding"}) expect(json_, name, nullptr);
    const Json &normalizer = member(json_, "normalizer"), &decoder = member(json_, "decoder");
    file_.nfc = is(normalizer, "NFC");
    if (!normalizer.is_null() && !file_.nfc) refuse("normalizer", normalizer, "null or NFC");
    if (!decoder.is_null() && !is(decoder, "ByteLevel")) {
      refuse("decoder", decoder, "null or ByteLevel");
    }
    check_frame(member(json_, "post_processor"));
  }

  // What is put around a text, and changes nothing in it.
  void check_frame(const Json& stage) const {
    if (stage.is_null() || is(stage, "ByteLevel") || is(stage, "TemplateProcessing")) return;
    if (!is(stage, "Sequence")) {
      refuse("post_processor", stage, "null, ByteLevel or TemplateProcessing");
    }
    for (const Json& step : member(stage, "processors")) check_frame(step);
  }

  WordRule word_rule() const {
    const Json& pre = member(json_, "pre_tokenizer");
    const bool several = is(pre, "Sequence");
    const Json& steps = member(pre, "pretokenizers");
    if (several && (!steps.is_array() || steps.empty() || steps.size() > 2)) {
      fail("the pre-tokenizer is not one or two steps");
    }
    const Json& bytes = several ? steps.back() : pre;
    if (!is(bytes, "ByteLevel") || member(bytes, "add_prefix_space") != false) {
      fail(fmt::format("the pre-tokenizer's last step is {}, not ByteLevel without added spaces",
                       shown(member(bytes, "type"))));
    }
    const bool splits = truth(bytes, "use_regex", true);
    if (!several || steps.size() == 1) {
      if (splits) return WordRule::kGpt2;
      fail("this tokenizer does not split words");
    }
    const Json& first = steps.front();
    if (is(first, "Digits") && truth(first, "individual_digits", false) && splits) {
      return WordRule::kDigits;
    }
    return split_rule(first, splits);
  }

  WordRule split_rule(const Json& split, bool splits_again) const {
    const Json& pattern = member(member(split, "pattern"), "Regex");
    for (const WordRule rule :
         {WordRule::kPodium, WordRule::kGpt2, WordRule::kQwen, WordRule::kLlama3}) {
      if (!is(split, "Split") || pattern != split_of(rule) || splits_again) continue;
      expect(split, "behavior", "Isolated");
      expect(split, "invert", false);
      return rule;
    }
    fail(fmt::format("this tokenizer splits words in another way: {} {}",
                     shown(member(split, "type")), shown(pattern)));
  }

  std::string& place(const Json& spelling, const Json& id) {
    const bool whole =
        id.is_number_unsigned() || (id.is_number_integer() && id.get<int64_t>() >= 0);
    if (!whole || id.get<uint64_t>() >= file_.tokens.size()) {
      fail(fmt::format("token {} has id {}, outside 0 .. {}", shown(spelling), shown(id),
                       file_.tokens.size() - 1));
    }
    return file_.tokens[id.get<size_t>()];
  }

  const Json& added() const {
    const Json& tokens = member(json_, "added_tokens");
    if (!tokens.is_array() && !tokens.is_null()) fail("added_tokens is not a list");
    return tokens;
  }

  // Leaves spellings as they stand in the vocabulary, until read_added has told which stay so.
  void read_vocab() {
    const Json& vocab = member(member(json_, "model"), "vocab");
    if (!vocab.is_object()) fail("the tokenizer has no vocabulary");
    size_t further = 0;
    for (const Json& token : added()) {
      const Json& content = member(token, "content");
      if (!content.is_string()) fail("an added token has no content");
      further += vocab.contains(content.get<std::string>()) ? 0 : 1;
    }
    file_.tokens.resize(vocab.size() + further);
    ids_.reserve(vocab.size());
    for (const auto& [spelling, id] : vocab.items()) {
      std::string& token = place(spelling, id);
      if (!token.empty()) {
        fail(fmt::format("tokens {} and {} both have id {}", shown(token), shown(spelling),
                         shown(id)));
      }
      token = spelling;
      ids_.emplace(spelling, id.get<int32_t>());
    }
  }

  void read_added() {
    std::unordered_set<int32_t> taken;
    for (const Json& entry : added()) {
      const std::string content = member(entry, "content").get<std::string>();
      std::string& token = place(content, member(entry, "id"));
      const auto id = member(entry, "id").get<int32_t>();
      if (!taken.insert(id).second || (!token.empty() && token != content)) {
        fail(fmt::format("tokens {} and {} both have id {}", shown(token), shown(content), id));
      }
      for (const char* name : {"single_word", "lstrip", "rstrip", "normalized"}) {
        expect(entry, name, false);
      }
      token = content;
      file_.added.push_back({id, truth(entry, "special", false)});
    }
    std::sort(file_.added.begin(), file_.added.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    for (const auto& [spelling, id] : ids_) {
      if (taken.contains(id)) continue;
      const auto bytes = from_letters(spelling);
      if (!bytes) fail(fmt::format("token {} is not spelled in letters of bytes", shown(spelling)));
      file_.tokens[size_t(id)] = *bytes;
    }
    if (const auto bad = bad_added(file_)) {
      fail(fmt::format("added token {} is empty or given twice", shown(*bad)));
    }
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

  void read_merges() {
    const Json& merges = member(member(json_, "model"), "merges");
    if (!merges.is_array()) fail("the tokenizer has no list of merges");
    file_.merges.reserve(merges.size());
    std::unordered_set<uint64_t> taken;
    for (const Json& merge : merges) {
      const auto [left, right] = halves(merge);
      const auto a = ids_.find(left), b = ids_.find(right), ab = ids_.find(left + right);
      if (a == ids_.end() || b == ids_.end() || ab == ids_.end()) {
        fail(fmt::format("merge {} is not of tokens, or makes none", shown(merge)));
      }
      if (!taken.insert(uint64_t(a->second) << 32 | uint64_t(b->second)).second) {
        fail(fmt::format("merge {} is given twice", shown(merge)));
      }
      file_.merges.push_back({a->second, b->second, ab->second});
    }
  }

  const Json& json_;
  std::string_view where_;
  TokenizerFile file_;
  std::unordered_map<std::string, int32_t> ids_;  // of the vocabulary, by spelling
};

// Ids from here on are those of added tokens alone, which stand in no vocabulary.
size_t vocabulary_end(const TokenizerFile& file) {
  size_t end = file.tokens.size();
  for (auto last = file.added.rbegin(); last != file.added.rend(); ++last) {
    if (size_t(last->id) + 1 != end) break;
    --end;
  }
  return end;
}

Json vocabulary_json(const TokenizerFile& file, std::vector<std::string>& spellings) {
  Json vocab = Json::object();
  auto added = file.added.begin();
  spellings.resize(vocabulary_end(file));
  for (size_t id = 0; id < spellings.size(); ++id) {
    const bool as_it_is = added != file.added.end() && size_t(added->id) == id;
    if (as_it_is) ++added;
    spellings[id] = as_it_is ? file.tokens[id] : to_letters(file.tokens[id]);
    vocab[spellings[id]] = id;
  }
  return vocab;
}

Json added_json(const TokenizerFile& file) {
  Json tokens = Json::array();
  for (const AddedToken& token : file.added) {
    tokens.push_back({{"id", token.id},
                      {"content", file.tokens[size_t(token.id)]},
                      {"single_word", false},
                      {"lstrip", false},
                      {"rstrip", false},
                      {"normalized", false},
                      {"special", token.special}});
  }
  return tokens;
}

}  // namespace

TokenizerFile trained_file(const std::vector<std::pair<int32_t, int32_t>>& merges,
                           const std::vector<std::string>& added) {
  TokenizerFile file;
  for (int b = 0; b < 256; ++b) file.tokens.emplace_back(1, char(b));
  for (const auto& [left, right] : merges) {
    file.merges.push_back({left, right, int32_t(file.tokens.size())});
    file.tokens.push_back(file.tokens[size_t(left)] + file.tokens[size_t(right)]);
  }
  for (const std::string& spelling : added) {
    file.added.push_back({int32_t(file.tokens.size())});
    file.tokens.push_back(spelling);
  }
  return file;
}

std::optional<std::string> bad_added(const TokenizerFile& file) {
  std::unordered_set<std::string_view> taken;
  for (const AddedToken& token : file.added) {
    const std::string& spelling = file.tokens[size_t(token.id)];
    if (spelling.empty() || !taken.insert(spelling).second) return spelling;
  }
  return std::nullopt;
}

Json to_tokenizer_json(const TokenizerFile& file) {
  std::vector<std::string> spellings;
  const Json vocab = vocabulary_json(file, spellings);
  Json merges = Json::array(), normalizer;
  for (const Merge& merge : file.merges) {
    merges.push_back(spellings[size_t(merge.left)] + " " + spellings[size_t(merge.right)]);
  }
  if (file.nfc) normalizer = {{"type", "NFC"}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added_json(file)},
          {"normalizer", normalizer},
          {"pre_tokenizer", words_json(file.words)},
          {"post_processor", nullptr},
          {"decoder", byte_level(false)},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", file.whole_words},
            {"vocab", vocab},
            {"merges", merges}}}};
}

TokenizerFile from_tokenizer_json(const Json& json, std::string_view where) {
  return TokenizerReader(json, where).read();
}

}  // namespace podium::text
