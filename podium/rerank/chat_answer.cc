#include "podium/rerank/chat_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "podium/base/error.h"
#include "podium/rerank/shown_items.h"
#include "podium/rerank/trace_text.h"

namespace podium::rerank {
namespace {

constexpr size_t kMostAnswer = 65536, kMostExplanation = 8192;  // bytes
constexpr std::string_view kClauseEnds = ".;:!?,";

bool is_name_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// "c_12" is 11; null where it is no name of that kind.
std::optional<size_t> index_of(std::string_view name, char kind) {
  if (name.size() < 3 || name[0] != kind || name[1] != '_' || name[2] == '0') return std::nullopt;
  size_t number = 0;
  const auto [end, error] = std::from_chars(name.data() + 2, name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number - 1;
}

// The flaw, or empty.
std::string read_order(const Json& names, size_t candidates, std::vector<int>& order) {
  if (!names.is_array()) return "recommendations are no list";
  std::set<size_t> named;
  for (const Json& name : names) {
    if (!name.is_string()) return "recommendations are no names";
    const auto index = index_of(name.get<std::string>(), 'c');
    if (!index || *index >= candidates) return "recommends what is no candidate";
    if (!named.insert(*index).second) return "recommends a candidate twice";
    order.push_back(int(*index));
  }
  return named.size() == candidates ? "" : "leaves candidates out";
}

// One line, as it may stand in a trace; it does not begin as the evidence teacher's.
std::string tidied(const std::string& explanation) {
  std::string text;
  for (const char c : quotable(explanation)) {
    if (c != ' ' || (!text.empty() && text.back() != ' ')) text += c;
  }
  while (text.ends_with(' ')) text.pop_back();
  if (text.starts_with(kPatternBegin)) text[0] = 'P';
  return text;
}

// Each with the mark that ends it and the blank before it, which belongs to it.
std::vector<std::string_view> clauses_of(std::string_view text) {
  std::vector<std::string_view> clauses;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool ends = kClauseEnds.find(text[i]) != std::string_view::npos &&
                      (i + 1 == text.size() || text[i + 1] == ' ');
    if (!ends && i + 1 < text.size()) continue;
    clauses.push_back(text.substr(begin, i + 1 - begin));
    begin = i + 1;
  }
  return clauses;
}

class TraceWriter {
 public:
  TraceWriter(const PromptContext& context, const Slate& slate, size_t room)
      : context_(context), slate_(slate), room_(room) {}

  // False when it cites an item that was not shown. Takes it when it fits, after all before it did.
  bool add(std::string_view clause) {
    tokens_.clear();
    named_ = cited_;
    repeats_ = false;
    size_t plain = 0;  // where the words begin that are not yet tokens
    for (size_t at = 0; at < clause.size();) {
      size_t end = at;
      while (end < clause.size() && is_name_byte(clause[end])) ++end;
      const std::string_view word = clause.substr(at, end - at);
      const bool cites = index_of(word, 'c') || index_of(word, 'h');
      if (cites) {
        add_words(clause.substr(plain, at - plain));
        if (!cite(word)) return false;
        plain = end;
      }
      at = std::max(end, at + 1);
    }
    add_words(clause.substr(plain));
    if (repeats_ || full_) return true;
    full_ = trace_.size() + tokens_.size() > room_;
    if (full_) return true;
    trace_.insert(trace_.end(), tokens_.begin(), tokens_.end());
    cited_ = named_;
    return true;
  }
  bool cites(int candidate) const { return cited_.contains(size_t(candidate)); }
  std::vector<TokenId> take() { return std::move(trace_); }

 private:
  // Brackets around a name and the blank before it are not needed: the name is a token.
  void add_words(std::string_view words) {
    while (!words.empty() &&
           std::string_view("<[( ").find(words.back()) != std::string_view::npos) {
      words.remove_suffix(1);
    }
    if (!tokens_.empty() && !words.empty() &&
        std::string_view(">])").find(words.front()) != std::string_view::npos) {
      words.remove_prefix(1);
    }
    if (words.empty()) return;
    const auto encoded = context_.tokenizer.encode(words);
    tokens_.insert(tokens_.end(), encoded.begin(), encoded.end());
  }

  bool cite(std::string_view name) {
    if (const auto index = index_of(name, 'c')) {
      if (*index >= slate_.candidates.size()) return false;
      repeats_ = repeats_ || !named_.insert(*index).second;
      tokens_.push_back(context_.vocabulary.candidate(*index));
      return true;
    }
    const auto history = shown_history(context_, slate_);
    const size_t index = *index_of(name, 'h');
    if (index >= history.size()) return false;
    append_sid(context_, slate_, history[index], tokens_);
    return true;
  }

  const PromptContext& context_;
  const Slate& slate_;
  const size_t room_;
  std::vector<TokenId> trace_, tokens_;  // tokens_: of the clause
  std::set<size_t> cited_, named_;       // by the trace; with the clause
  bool repeats_ = false, full_ = false;
};

// The flaw, or empty.
std::string write_trace(const PromptContext& context, const Slate& slate,
                        const std::string& explanation, int max_trace, TeacherTrace& sample) {
  std::vector<TokenId> ending = context.tokenizer.encode(" best");
  ending.push_back(context.vocabulary.candidate(size_t(sample.order.front())));
  if (ending.size() >= size_t(max_trace)) return "has no room for a trace";
  TraceWriter writer(context, slate, size_t(max_trace) - ending.size());
  const std::string text = tidied(explanation);
  for (const std::string_view clause : clauses_of(text)) {
    if (!writer.add(clause)) return "cites an item that was not shown";
  }
  if (!writer.cites(sample.order.front())) return "does not cite its first choice";
  sample.trace = writer.take();
  sample.trace.insert(sample.trace.end(), ending.begin(), ending.end());
  return "";
}

std::string read(const PromptContext& context, const Slate& slate, const Json& json, int max_trace,
                 TeacherTrace& sample) {
  if (!json.is_object() || json.size() != 2 || !json.contains("explanation") ||
      !json.contains("recommendations")) {
    return "is not the object that was asked for";
  }
  std::string flaw = read_order(json["recommendations"], slate.candidates.size(), sample.order);
  if (!flaw.empty()) return flaw;
  const Json& explanation = json["explanation"];
  if (!explanation.is_string()) return "explanation is no text";
  const auto text = explanation.get<std::string>();
  if (text.size() > kMostExplanation) return "is too long";
  return write_trace(context, slate, text, max_trace, sample);
}

}  // namespace

Json chat_answer_schema(size_t candidates) {
  Json names = Json::array();
  for (size_t i = 1; i <= candidates; ++i) names.push_back(fmt::format("c_{}", i));
  const Json list = {{"type", "array"},
                     {"items", {{"type", "string"}, {"enum", names}}},
                     {"minItems", candidates},
                     {"maxItems", candidates}};
  return {{"type", "object"},
          {"properties", {{"explanation", {{"type", "string"}}}, {"recommendations", list}}},
          {"required", {"explanation", "recommendations"}},
          {"additionalProperties", false}};
}

ChatAnswerRead read_chat_answer(const PromptContext& context, const Slate& slate,
                                std::string_view answer, int max_trace) {
  ChatAnswerRead result;
  if (answer.size() > kMostAnswer) {
    result.flaw = "is too long";
    return result;
  }
  try {
    const Json json = parse_json(answer, "a teacher's answer");
    result.flaw = read(context, slate, json, max_trace, result.sample);
  } catch (const Error&) {
    result.flaw = "is no JSON";
  }
  if (!result.flaw.empty()) result.sample = {};
  return result;
}

}  // namespace podium::rerank
