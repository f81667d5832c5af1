// JSON values (nlohmann) with podium's errors.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "podium/base/files.h"
#include "podium/base/json_object.h"

namespace podium {

// Objects keep the order of their keys.
using Json = nlohmann::basic_json<JsonObject>;

// In time proportional to the text. Throws Error with `where` and the byte position on malformed
// input, invalid UTF-8, a key that stands twice in one object, or nesting deeper than 64.
Json parse_json(std::string_view text, std::string_view where);
Json read_json(const fs::path& path);
void write_json_atomic(const fs::path& path, const Json& value);  // indented by 2

}  // namespace podium
