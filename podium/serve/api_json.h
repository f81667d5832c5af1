// The API's JSON: requests that it reads, answers that it gives.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "podium/serving/recommender.h"
#include "podium/store/log.h"

namespace podium::serve {

// {"events": [...]}, as changes of the log; an event without a time happened now. Throws Error,
// whose `where` is the field.
std::vector<store::Change> events_of(std::string_view body, size_t most, int64_t now);

// The body of PUT /v1/items/{id}. Throws Error, whose `where` is the field.
serving::LiveItem item_of(std::string id, std::string_view body);

std::string recommend_json(const std::string& id, const serving::Answer& answer,
                           const serving::Bundle& bundle);
std::string user_json(const std::string& user, const serving::LiveHistory& history);

// "%41b" to "Ab". Throws Error when it is no percent-encoded UTF-8 or holds control characters.
std::string decoded(std::string_view path_part);

}  // namespace podium::serve
