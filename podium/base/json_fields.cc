#include "podium/base/json_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"

namespace podium {

JsonFields::JsonFields(const Json& json, std::string_view what, std::string_view cure,
                       std::string_view where)
    : json_(json), cure_(cure), where_(where) {
  if (!json.is_object()) fail(fmt::format("{} is not a JSON object", what));
}

void JsonFields::fail(const std::string& message) const { throw Error(message, cure_, where_); }

std::string JsonFields::shown(const Json& value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() > 80 ? text.substr(0, 80) + "..." : text;
}

const Json* JsonFields::find(std::string_view name) const {
  const auto at = json_.find(name);
  return at == json_.end() || at->is_null() ? nullptr : &*at;
}

const Json& JsonFields::field(std::string_view name) const {
  const auto at = json_.find(name);
  if (at == json_.end()) fail(fmt::format("{} is missing", name));
  return *at;
}

int JsonFields::integer(std::string_view name, int64_t low, int64_t high) const {
  const Json& value = field(name);
  if (!value.is_number_integer()) fail(fmt::format("{} is not a whole number", name));
  const auto number = value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX)
                          ? INT64_MAX
                          : value.get<int64_t>();
  if (number < low || number > high) {
    fail(fmt::format("{} is {}, outside {} .. {}", name, number, low, high));
  }
  return int(number);
}

double JsonFields::real(std::string_view name, double low, double high) const {
  const Json& value = field(name);
  if (!value.is_number()) fail(fmt::format("{} is not a number", name));
  const double number = value.get<double>();
  if (!(number >= low && number <= high)) {
    fail(fmt::format("{} is {}, outside {} .. {}", name, number, low, high));
  }
  return number;
}

bool JsonFields::boolean(std::string_view name, bool fallback) const {
  const Json* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) fail(fmt::format("{} is not true or false", name));
  return value->get<bool>();
}

void JsonFields::expect(std::string_view name, const Json& wanted) const {
  const Json* value = find(name);
  if (value == nullptr || *value == wanted) return;
  fail(fmt::format("{} is {}, only {} is supported", name, shown(*value), wanted.dump()));
}

void JsonFields::check_known(std::span<const std::string_view> known) const {
  for (const auto& [key, value] : json_.items()) {
    const bool off = value.is_null() || value == false || value == "" ||
                     (value.is_structured() && value.empty());
    if (off || std::binary_search(known.begin(), known.end(), std::string_view(key))) continue;
    throw Error(fmt::format("{} is {}: podium does not know what it changes", key, shown(value)),
                "use a checkpoint without it; a key that changes nothing may be deleted", where_);
  }
}

}  // namespace podium
