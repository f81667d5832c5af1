#include "podium/serve/problem.h"

#include "podium/base/files.h"

namespace podium::serve {
namespace {

const char* title_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

}  // namespace

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kBadRequest:
      return 400;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kUnavailable:
    case ErrorKind::kInterrupted:
      return 503;
    case ErrorKind::kCorrupt:
    case ErrorKind::kInternal:
      return 500;
  }
  return 500;
}

HttpReply problem(int status, const std::string& detail, const std::string& cure,
                  const std::string& field, Json more) {
  Json json = std::move(more);
  json.update({{"title", title_of(status)}, {"status", status}, {"detail", detail}});
  if (!cure.empty()) json["cure"] = cure;
  if (!field.empty()) json["field"] = field;
  HttpReply reply{.status = status,
                  .body = json.dump(-1, ' ', false, Json::error_handler_t::replace),
                  .type = kProblemType};
  if (status == 429 || status == 503) reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

HttpReply problem(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& told) {
    const bool request = told.kind() == ErrorKind::kBadRequest;
    return problem(status_of(told.kind()), told.message(), told.cure(),
                   request ? told.where() : "");  // of others it is a path of this machine
  } catch (const fs::filesystem_error& told) {
    const ErrorKind kind = kind_of_errno(told.code().value());
    return problem(status_of(kind), told.code().message());
  } catch (const std::bad_alloc&) {
    return problem(503, "out of memory");
  } catch (const std::exception& other) {
    return problem(500, other.what());
  }
}

}  // namespace podium::serve
