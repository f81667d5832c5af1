// Errors as the API tells them (RFC 9457, "problem details").
#pragma once

#include <exception>
#include <string>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/serve/http.h"

namespace podium::serve {

inline constexpr const char* kProblemType = "application/problem+json";

int status_of(ErrorKind kind);

// {"title", "status", "detail", "cure"?, "field"?}, and what is in `more`.
HttpReply problem(int status, const std::string& detail, const std::string& cure = "",
                  const std::string& field = "", Json more = Json::object());
HttpReply problem(const std::exception_ptr& error);

}  // namespace podium::serve
