#include "podium/policy/toml_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "podium/base/error.h"
#include "podium/base/nearest.h"

namespace podium::policy {
namespace {

std::optional<Scalar> scalar_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return Scalar(text->get());
  if (const auto* flag = node.as_boolean()) return Scalar(flag->get());
  if (const auto number = node.value<double>(); node.is_number() && number) {
    if (std::isfinite(*number)) return Scalar(*number);
  }
  return std::nullopt;
}

Json json_of(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    Json json = Json::object();
    for (const auto& [key, value] : *table) json[std::string(key.str())] = json_of(value);
    return json;
  }
  if (const auto* array = node.as_array()) {
    Json json = Json::array();
    for (const toml::node& value : *array) json.push_back(json_of(value));
    return json;
  }
  if (const auto* whole = node.as_integer()) return Json(whole->get());
  const auto scalar = scalar_of(node);
  return scalar ? std::visit([](const auto& value) { return Json(value); }, *scalar) : Json();
}

// None for what is no duration.
std::optional<double> seconds(const std::string& text) {
  static constexpr std::string_view kUnits = "smhdw";
  static constexpr double kSeconds[] = {1, 60, 3600, 86'400, 604'800};
  int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  const size_t digits = size_t(read.ptr - text.data());
  if (read.ec != std::errc() || digits + 1 != text.size()) return std::nullopt;
  const size_t unit = kUnits.find(text[digits]);
  if (unit == std::string_view::npos || count <= 0) return std::nullopt;
  return double(count) * kSeconds[unit];
}

}  // namespace

TomlTable::TomlTable(const toml::table& table, std::string what, std::string file,
                     std::span<const std::string_view> known)
    : table_(table), what_(std::move(what)), file_(std::move(file)) {
  for (const auto& [key, node] : table_) {
    const std::string_view name = key.str();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    fail(name, fmt::format("{} knows no key '{}'", what_, name),
         fmt::format("did you mean '{}'? It knows: {}", nearest(name, known),
                     fmt::join(known, ", ")));
  }
}

void TomlTable::fail(std::string_view key, const std::string& message,
                     const std::string& cure) const {
  const toml::node* node = key.empty() ? nullptr : table_.get(key);
  const auto& source = node == nullptr ? table_.source() : node->source();
  throw Error(message, cure, fmt::format("{}:{}", file_, std::max(source.begin.line, 1U)));
}

const toml::node& TomlTable::node(std::string_view key) const {
  const toml::node* found = table_.get(key);
  if (found == nullptr) {
    fail("", fmt::format("{} has no '{}'", what_, key), "docs/rules.md tells what each rule needs");
  }
  return *found;
}

void TomlTable::wrong_type(std::string_view key, const std::string& wanted) const {
  fail(key, fmt::format("'{}' of {} must be {}", key, what_, wanted),
       "docs/rules.md has an example of each rule");
}

std::string TomlTable::text(std::string_view key, std::optional<std::string> fallback) const {
  if (!has(key) && fallback) return *fallback;
  const auto* text = node(key).as_string();
  if (text == nullptr || text->get().empty()) wrong_type(key, "a text that is not empty");
  return text->get();
}

double TomlTable::number(std::string_view key, const OptionRange& range,
                         std::optional<double> fallback) const {
  if (!has(key) && fallback) return *fallback;
  const toml::node& found = node(key);
  const auto value = found.value<double>();
  if (!found.is_number() || !value || !range.holds(*value)) {
    wrong_type(key, range.text().empty() ? "a finite number" : range.text());
  }
  return *value;
}

int TomlTable::integer(std::string_view key, int low, int high, std::optional<int> fallback) const {
  if (!has(key) && fallback) return *fallback;
  const auto* value = node(key).as_integer();
  if (value == nullptr || value->get() < low || value->get() > high) {
    wrong_type(key, fmt::format("a whole number from {} to {}", low, high));
  }
  return int(value->get());
}

double TomlTable::duration(std::string_view key) const {
  const auto* text = node(key).as_string();
  const auto value = text == nullptr ? std::nullopt : seconds(text->get());
  if (!value) wrong_type(key, "a duration such as \"90s\", \"15m\", \"12h\", \"30d\" or \"2w\"");
  return *value;
}

std::string TomlTable::choice(std::string_view key, const std::vector<std::string>& choices,
                              std::optional<std::string> fallback) const {
  const std::string value = text(key, std::move(fallback));
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  const std::vector<std::string_view> names(choices.begin(), choices.end());
  fail(key,
       fmt::format("'{}' of {} must be {} (it is '{}')", key, what_, one_of(choices).text(), value),
       fmt::format("did you mean '{}'?", nearest(value, names)));
}

const toml::array& TomlTable::list(std::string_view key, const std::string& of) const {
  const toml::array* array = node(key).as_array();
  if (array == nullptr || array->empty()) wrong_type(key, "a list of " + of + ", one at least");
  return *array;
}

std::vector<std::string> TomlTable::texts(std::string_view key) const {
  std::vector<std::string> values;
  for (const toml::node& element : list(key, "texts")) {
    const auto* text = element.as_string();
    if (text == nullptr || text->get().empty()) wrong_type(key, "a list of texts, none empty");
    values.push_back(text->get());
  }
  return values;
}

std::vector<int> TomlTable::integers(std::string_view key, int low, int high) const {
  const std::string range = fmt::format("whole numbers from {} to {}", low, high);
  std::set<int> values;
  const toml::array& array = list(key, range);
  for (const toml::node& element : array) {
    const auto* value = element.as_integer();
    const bool fits = value != nullptr && value->get() >= low && value->get() <= high;
    if (!fits || !values.insert(int(value->get())).second) {
      wrong_type(key, fmt::format("a list of {}, each once", range));
    }
  }
  return {values.begin(), values.end()};
}

bool TomlTable::boolean(std::string_view key) const {
  const auto* value = node(key).as_boolean();
  if (value == nullptr) wrong_type(key, "true or false");
  return value->get();
}

Scalar TomlTable::scalar(std::string_view key) const {
  const auto value = scalar_of(node(key));
  if (!value) wrong_type(key, "a text, a finite number, true or false");
  return *value;
}

std::vector<Scalar> TomlTable::scalars(std::string_view key) const {
  static const std::string kOf = "texts, finite numbers or booleans";
  std::vector<Scalar> values;
  for (const toml::node& element : list(key, kOf)) {
    const auto value = scalar_of(element);
    if (!value) wrong_type(key, "a list of " + kOf);
    values.push_back(*value);
  }
  return values;
}

std::vector<const toml::table*> TomlTable::tables(std::string_view key) const {
  if (const auto* one = node(key).as_table()) return {one};
  std::vector<const toml::table*> found;
  const toml::array* array = node(key).as_array();
  if (array != nullptr) {
    for (const toml::node& element : *array) found.push_back(element.as_table());
  }
  if (found.empty() || std::find(found.begin(), found.end(), nullptr) != found.end()) {
    wrong_type(key, "a table, or a list of tables");
  }
  return found;
}

const toml::table& TomlTable::table(std::string_view key) const {
  const toml::table* found = node(key).as_table();
  if (found == nullptr) wrong_type(key, "a table");
  return *found;
}

Json TomlTable::json() const { return json_of(table_); }

}  // namespace podium::policy
