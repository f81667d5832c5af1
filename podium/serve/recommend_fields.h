// What calls for recommendations share beside the request itself. All throw Error, whose `where`
// is the field.
#pragma once

#include "podium/base/json.h"
#include "podium/serve/ruled.h"
#include "podium/serve/service.h"

namespace podium::serve {

// A field that is true or false, taken out of the object.
bool take_flag(Json& object, const char* name, bool otherwise);
// What rules read of a request, taken out of it.
RulesRequest take_rules_request(Json& object);

// Of the query's min_offset: a caller that has been told of an offset and asks for at least that.
// This server applies a change before it acknowledges it, so that only an offset of another server,
// or one to come, is not there.
bool is_stale(const Service& service, const HttpRequest& request);

}  // namespace podium::serve
