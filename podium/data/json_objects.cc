#include "podium/data/json_objects.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "podium/data/python_literal.h"

namespace podium::data {
namespace {

using simdjson::dom::element;

constexpr size_t kMaxObject = 16 << 20;
constexpr size_t kTextShown = 1 << 10;
constexpr size_t kMaxDepth = 32;
constexpr int kLinesToJudge = 8;
constexpr std::string_view kBlanks = " \t\r\n";

// True when brackets and strings are closed at the text's end, and not before.
bool balanced(std::string_view text) {
  size_t depth = 0;
  char quote = '\0';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == '\\') ++i;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth-- == 0) return false;
      if (depth == 0) return text.find_first_not_of(kBlanks, i + 1) == std::string_view::npos;
    }
  }
  return false;
}

// An object a line, as far as the first lines tell: one of them is a whole object, or nothing
// speaks for another layout.
bool object_a_line(std::string_view sample) {
  const size_t start = sample.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return true;
  if (sample[start] != '{') return sample[start] != '[';
  for (int i = 0; i < kLinesToJudge && !sample.empty(); ++i) {
    const std::string_view line = first_line(sample);
    if (line.starts_with('{') && balanced(line)) return true;
    sample.remove_prefix(std::min(sample.size(), line.size() + 1));
  }
  return false;
}

// The text of a string or a number; nothing for other values.
std::optional<std::string> plain_text(const element& value) {
  std::string_view text;
  if (!value.get_string().get(text)) return std::string(text);
  if (!value.is_number()) return std::nullopt;
  return simdjson::to_string(value);
}

std::optional<int64_t> whole_number(const element& value) {
  int64_t number = 0;
  if (!value.get_int64().get(number)) return number;
  std::string_view text;
  element inner;
  if (value.is_object() && value["$numberLong"].get(inner)) return std::nullopt;
  if ((value.is_object() ? inner : value).get_string().get(text)) return std::nullopt;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Seconds and a fraction, as a number that any reader of times knows.
std::string seconds_text(int64_t seconds, int64_t nanos) {
  constexpr int64_t kUnit = 1'000'000'000, kLarge = 100'000'000;  // see import_times.h
  if (nanos <= 0 || nanos >= kUnit || seconds >= INT64_MAX / kUnit) return std::to_string(seconds);
  if (seconds >= kLarge) return std::to_string(seconds * kUnit + nanos);
  return fmt::format("{}", double(seconds) + double(nanos) / double(kUnit));
}

// MongoDB's {"$date": ...}: milliseconds, or a text of ISO 8601.
std::optional<std::string> date_text(const element& value) {
  std::string_view text;
  if (!value.get_string().get(text)) return std::string(text);
  const auto millis = whole_number(value);
  if (!millis) return std::nullopt;
  const int64_t rest = (*millis % 1000 + 1000) % 1000;
  return seconds_text((*millis - rest) / 1000, rest * 1'000'000);
}

// The one value that an object stands for: MongoDB's extended JSON, and Firestore's times.
std::optional<std::string> object_text(const element& value) {
  simdjson::dom::object object;
  if (value.get_object().get(object) || object.size() == 0) return std::nullopt;
  const simdjson::dom::key_value_pair first = *object.begin();
  if (object.size() == 1) {
    for (const char* name : {"$numberLong", "$numberInt", "$numberDecimal", "$numberDouble", "$oid",
                             "$uuid", "$symbol"}) {
      if (first.key == name) return plain_text(first.value);
    }
    if (first.key == "$date") return date_text(first.value);
    element seconds;
    if (first.key == "$timestamp" && !first.value["t"].get(seconds)) return plain_text(seconds);
  }
  for (const auto& [second, nano] :
       {std::pair{"_seconds", "_nanoseconds"}, std::pair{"seconds", "nanos"},
        std::pair{"seconds", "nanoseconds"}}) {
    element seconds, nanos;
    if (object[second].get(seconds)) continue;
    const bool fine = !object[nano].get(nanos);
    if (object.size() > (fine ? 2U : 1U)) continue;
    const auto whole = whole_number(seconds);
    if (whole) return seconds_text(*whole, fine ? whole_number(nanos).value_or(0) : 0);
  }
  return std::nullopt;
}

// Leaves of nested arrays, in order, each once: [["Beauty", "Hair"]] gives Beauty, Hair. True when
// an object that is no value was left out.
bool leaves(const element& value, size_t depth, std::vector<std::string>& out) {
  simdjson::dom::array array;
  if (depth < kMaxDepth && !value.get_array().get(array)) {
    bool left_out = false;
    for (const element part : array) left_out = leaves(part, depth + 1, out) || left_out;
    return left_out;
  }
  std::string_view text;
  std::string leaf;
  const std::optional<std::string> of_object = object_text(value);
  if (!value.get_string().get(text)) {
    leaf = text;
  } else if (of_object) {
    leaf = *of_object;
  } else if (!value.is_null() && !value.is_object() && !value.is_array()) {
    leaf = simdjson::to_string(value);
  }
  std::replace(leaf.begin(), leaf.end(), kListMark, ' ');
  if (!leaf.empty() && std::find(out.begin(), out.end(), leaf) == out.end()) {
    out.push_back(std::move(leaf));
  }
  return value.is_object() && !of_object;
}

// left_out: an object in it was.
std::string list_text(const element& value, bool& left_out) {
  std::vector<std::string> parts;
  left_out = leaves(value, 0, parts);
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : std::string(1, kListMark)) + part;
  return text;
}

}  // namespace

JsonTexts::JsonTexts(Lines& lines) : lines_(lines), by_line_(object_a_line(lines.sample())) {}

bool JsonTexts::next(std::string_view& text) {
  overlong_ = false;
  if (!by_line_) return next_object(text);
  do {
    if (!lines_.next(text)) return false;
  } while (text.find_first_not_of(kBlanks) == std::string_view::npos);
  line_ = lines_.number();
  overlong_ = lines_.overlong();
  return true;
}

// Past blanks, commas and the brackets of an outer array; false at the end of the file.
bool JsonTexts::skip_to_object() {
  for (std::string_view ahead = lines_.ahead(); !ahead.empty(); ahead = lines_.ahead()) {
    const size_t start = std::min(ahead.find_first_not_of(" \t\r\n,[]"), ahead.size());
    const bool found = start < ahead.size();
    lines_.skip(start);
    if (found) return true;
  }
  return false;
}

// Reads on in an object; true when it ends, after `used` bytes.
bool JsonTexts::past_end(std::string_view ahead, size_t& used) {
  for (used = 0; used < ahead.size(); ++used) {
    const char c = ahead[used];
    if (quote_ != '\0') {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == quote_) {
        quote_ = '\0';
      }
    } else if (c == '"' || c == '\'') {
      quote_ = c;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      depth_ -= depth_ > 0 ? 1 : 0;
      if (depth_ == 0) {
        ++used;
        return true;
      }
    } else if (depth_ == 0 && c == '\n') {
      return true;  // no object: the rest of this line
    }
  }
  return false;
}

bool JsonTexts::next_object(std::string_view& text) {
  if (!skip_to_object()) return false;
  line_ = lines_.number();
  text_.clear();
  depth_ = 0;
  quote_ = '\0';
  escaped_ = false;
  for (std::string_view ahead = lines_.ahead(); !ahead.empty(); ahead = lines_.ahead()) {
    size_t used = 0;
    const bool ended = past_end(ahead, used);
    if (text_.size() + used > kMaxObject) overlong_ = true;
    if (!overlong_) text_.append(ahead.substr(0, used));
    lines_.skip(used);
    if (ended) break;
  }
  text = overlong_ ? std::string_view(text_).substr(0, kTextShown) : std::string_view(text_);
  return true;
}

struct JsonFields::Impl {
  simdjson::dom::parser parser;
  std::vector<std::pair<std::string_view, element>> fields;
  std::deque<std::string> texts;  // of values that are no strings
  std::string converted;
  bool python = false;  // the last text was a literal: try that first

  bool parse_json(std::string_view text, simdjson::error_code& code) {
    element root;
    simdjson::dom::object object;
    code = parser.parse(text.data(), text.size()).get(root);
    if (code != simdjson::SUCCESS || root.get_object().get(object)) return false;
    for (const auto field : object) fields.emplace_back(field.key, field.value);
    return true;
  }
  bool parse_literal(std::string_view text) {
    simdjson::error_code code{};
    return python_to_json(text, converted) && parse_json(converted, code);
  }
};

JsonFields::JsonFields() : impl_(std::make_unique<Impl>()) {}
JsonFields::~JsonFields() = default;

const char* JsonFields::parse(std::string_view text) {
  Impl& impl = *impl_;
  impl.fields.clear();
  impl.texts.clear();
  simdjson::error_code code{};
  if (impl.python && impl.parse_literal(text)) return nullptr;
  impl.python = false;
  if (impl.parse_json(text, code)) return nullptr;
  if (code == simdjson::UTF8_ERROR) return "not UTF-8";
  if (code != simdjson::SUCCESS && impl.parse_literal(text)) {
    impl.python = true;
    return nullptr;
  }
  return "not a JSON object";
}

size_t JsonFields::fields() const { return impl_->fields.size(); }
std::string_view JsonFields::name(size_t field) const { return impl_->fields[field].first; }

Cell JsonFields::value(size_t field) {
  const element& value = impl_->fields[field].second;
  std::string_view text;
  if (!value.get_string().get(text)) return {text, Cell::Kind::kQuoted};
  if (value.is_null()) return {"", Cell::Kind::kPlain};
  if (value.is_object()) {
    const std::optional<std::string> inner = object_text(value);
    if (!inner) return {"", Cell::Kind::kObject};
    impl_->texts.push_back(*inner);
    return {impl_->texts.back(), Cell::Kind::kPlain};
  }
  int64_t integer = 0;
  if (value.is_array()) {
    bool left_out = false;
    impl_->texts.push_back(list_text(value, left_out));
    const bool objects = left_out && impl_->texts.back().empty();
    return {impl_->texts.back(), objects ? Cell::Kind::kObject : Cell::Kind::kList};
  }
  const bool whole = !value.get_int64().get(integer);
  impl_->texts.push_back(whole ? std::to_string(integer) : simdjson::to_string(value));
  return {impl_->texts.back(), Cell::Kind::kPlain};
}

}  // namespace podium::data
