// JSON values (nlohmann) with podium's errors.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "podium/base/files.h"

namespace podium {

using Json = nlohmann::ordered_json;

// Throws Error with `where` and the byte position on malformed input, invalid UTF-8 or nesting
// deeper than 64.
Json parse_json(std::string_view text, std::string_view where);
Json read_json(const fs::path& path);
void write_json_atomic(const fs::path& path, const Json& value);  // indented by 2

}  // namespace podium
