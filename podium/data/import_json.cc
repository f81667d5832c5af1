#include <simdjson.h>

#include <limits>

#include "podium/data/import.h"
#include "podium/data/import_values.h"

namespace podium::data {
namespace {

using simdjson::dom::element;

constexpr size_t kMaxDepth = 32;

std::string text_of(const element& value) {
  std::string_view text;
  if (!value.get_string().get(text)) return std::string(text);
  int64_t integer = 0;
  if (!value.get_int64().get(integer)) return std::to_string(integer);
  return value.is_array() || value.is_object() || value.is_null() ? "" : simdjson::to_string(value);
}

// Leaves of nested arrays, in order: [["Beauty", "Hair Care"]] gives Beauty, Hair Care.
void leaves(const element& value, size_t depth, std::vector<std::string>& out) {
  simdjson::dom::array array;
  if (depth < kMaxDepth && !value.get_array().get(array)) {
    for (const element part : array) leaves(part, depth + 1, out);
    return;
  }
  std::string text = text_of(value);
  if (!text.empty() && std::find(out.begin(), out.end(), text) == out.end()) {
    out.push_back(std::move(text));
  }
}

std::string joined(const element& value) {
  std::vector<std::string> parts;
  leaves(value, 0, parts);
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
  return text;
}

struct Line {
  std::string user;
  std::optional<int64_t> time;
  float rating = 1;
  DatasetBuilder::Item item{"", "", "", "", {}, std::numeric_limits<float>::quiet_NaN()};
  int id_priority = -1;  // of the key that gave item.id
};

// A set's own item numbers win over Amazon's, a parent product over its variants.
int id_priority(std::string_view key) {
  if (key == "asin") return 0;
  return key == "parent_asin" ? 1 : 2;
}

// The reason why the field is bad, or null.
const char* read_field(Role role, std::string_view key, const element& value, Line& row) {
  double number = 0;
  switch (role) {
    case Role::kUser:
      row.user = text_of(value);
      break;
    case Role::kItem:
      if (id_priority(key) > row.id_priority) {
        row.item.id = text_of(value);
        row.id_priority = id_priority(key);
      }
      break;
    case Role::kTitle:
      row.item.title = text_of(value);
      break;
    case Role::kBrand:
      row.item.brand = text_of(value);
      break;
    case Role::kDescription:
      if (row.item.description.empty()) row.item.description = joined(value);
      break;
    case Role::kCategories:
      if (key != "main_category" || row.item.categories.empty()) {
        row.item.categories.clear();
        leaves(value, 0, row.item.categories);
      }
      break;
    case Role::kPrice:
      row.item.price = parse_price(text_of(value));
      break;
    case Role::kTime:
      if (value.is_null()) break;
      row.time =
          value.get_double().get(number) ? parse_time(text_of(value)) : time_of_number(number);
      if (!row.time) return "time is not a number of seconds";
      break;
    case Role::kRating:
      if (!value.get_double().get(number)) {
        row.rating = static_cast<float>(number);
      } else if (!value.is_null() && !parse_float(text_of(value), row.rating)) {
        return "rating is not a number";
      }
      break;
    case Role::kNone:
      break;
  }
  return nullptr;
}

// Amazon's 2014 metadata are Python literals: {'asin': '0001', 'title': "It's"}. Strings get JSON's
// quotes; True, False and None their JSON names.
std::string python_to_json(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    const char quote = line[i];
    if (quote != '\'' && quote != '"') {
      constexpr std::pair<std::string_view, std::string_view> kWords[] = {
          {"True", "true"}, {"False", "false"}, {"None", "null"}};
      bool word = false;
      for (const auto& [python, json] : kWords) {
        if (line.substr(i).starts_with(python)) {
          out += json;
          i += python.size() - 1;
          word = true;
          break;
        }
      }
      if (!word) out += quote;
      continue;
    }
    out += '"';
    for (++i; i < line.size() && line[i] != quote; ++i) {
      if (line[i] == '\\' && i + 1 < line.size()) {
        const char next = line[++i];
        if (next == '\'') {
          out += '\'';
        } else if (next == 'x' && i + 2 < line.size()) {
          out += "\\u00";
        } else {
          out += '\\';
          out += next;
        }
      } else if (line[i] == '"') {
        out += "\\\"";
      } else {
        out += line[i];
      }
    }
    out += '"';
  }
  return out;
}

}  // namespace

void import_json_lines(Lines& lines, const ColumnMap& map, ImportSink& sink) {
  simdjson::dom::parser parser;
  std::string_view line;
  while (lines.next(line)) {
    if (line.empty()) continue;
    if (lines.overlong()) {
      sink.reject(lines, "line over 16 MiB", line);
      continue;
    }
    element root;
    simdjson::dom::object object;
    bool parsed = !parser.parse(line.data(), line.size()).get(root);
    if (!parsed && line.front() == '{') {
      parsed = !parser.parse(python_to_json(line)).get(root);
    }
    if (!parsed || root.get_object().get(object)) {
      sink.reject(lines, "not a JSON object", line);
      continue;
    }
    Line row;
    const char* reason = nullptr;
    for (const auto [key, value] : object) {
      if (reason == nullptr) reason = read_field(role_of(key, map), key, value, row);
    }
    if (reason != nullptr) {
      sink.reject(lines, reason, line);
    } else if (!row.user.empty()) {
      sink.event(lines, row.user, row.item.id, row.time, row.rating, line);
    } else {
      sink.item(lines, row.item, line);
    }
  }
}

}  // namespace podium::data
