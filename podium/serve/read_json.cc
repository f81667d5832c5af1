#include "podium/serve/read_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/base/nearest.h"
#include "podium/serving/history.h"
#include "podium/serving/request_json.h"

namespace podium::serve {

void refuse(const std::string& field, const std::string& what) {
  throw Error(fmt::format("{} {}", field.empty() ? "the body" : field, what), "see /openapi.json",
              field);
}

Json object_of(std::string_view body) {
  Json json = parse_json(body, "body");
  if (!json.is_object()) refuse("", "must be a JSON object");
  return json;
}

void check_fields(const Json& object, std::span<const std::string_view> known,
                  const std::string& prefix) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string shown = name.substr(0, 100);
    refuse(prefix + shown,
           fmt::format("is an unknown field, did you mean {}?", nearest(shown, known)));
  }
}

std::string id_of(const Json& value, const std::string& field) {
  if (const auto number = serving::whole_number(value)) return std::to_string(*number);
  if (!value.is_string()) refuse(field, "must be a string or a whole number");
  auto id = value.get<std::string>();
  if (const std::string problem = serving::id_problem(id); !problem.empty()) refuse(field, problem);
  return id;
}

std::string id_field(const Json& object, const char* name, const std::string& prefix) {
  const auto found = object.find(name);
  if (found == object.end()) refuse(prefix + name, "is missing");
  return id_of(*found, prefix + name);
}

int64_t time_field(const Json& object, const std::string& prefix, int64_t otherwise) {
  const auto found = object.find("time");
  if (found == object.end()) return otherwise;
  const auto time = serving::whole_number(*found);
  if (!time) refuse(prefix + "time", "must be unix seconds");
  if (const std::string problem = serving::time_problem(*time); !problem.empty()) {
    refuse(prefix + "time", "cannot be: " + problem);
  }
  return *time;
}

size_t count_field(const Json& object, const char* name, size_t otherwise, size_t most) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  const auto count = serving::whole_number(*found);
  if (!count || *count < 1 || size_t(*count) > most) {
    refuse(name, fmt::format("must be a whole number of 1 to {}", most));
  }
  return size_t(*count);
}

const Json& list_field(const Json& object, const char* name, size_t most) {
  const auto found = object.find(name);
  if (found == object.end()) refuse(name, "is missing");
  if (!found->is_array() || found->empty() || found->size() > most) {
    refuse(name, fmt::format("must be an array of 1 to {}", most));
  }
  for (size_t i = 0; i < found->size(); ++i) {
    if (!(*found)[i].is_object()) refuse(fmt::format("{}[{}]", name, i), "must be an object");
  }
  return *found;
}

}  // namespace podium::serve
