// Fields of request bodies. All throw Error, whose `where` is the field.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "podium/base/json.h"

namespace podium::serve {

[[noreturn]] void refuse(const std::string& field, const std::string& what);

Json object_of(std::string_view body);
// prefix: of the fields' names, "events[3]."; empty or ending in a full stop.
void check_fields(const Json& object, std::span<const std::string_view> known,
                  const std::string& prefix = "");
// A string or a whole number, as serving::id_problem() allows.
std::string id_of(const Json& value, const std::string& field);
std::string id_field(const Json& object, const char* name, const std::string& prefix = "");
int64_t time_field(const Json& object, const std::string& prefix, int64_t otherwise);
// A whole number from 1 on.
size_t count_field(const Json& object, const char* name, size_t otherwise, size_t most);
// The array of objects called `name`, of 1 to `most`.
const Json& list_field(const Json& object, const char* name, size_t most);

}  // namespace podium::serve
