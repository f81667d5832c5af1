// Which code answers which method and path.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "podium/serve/http.h"

namespace podium::serve {

// What a caller has to be allowed.
enum class Scope { kOpen, kRead, kWrite, kAdmin };

struct Call {
  HttpRequest request;
  std::vector<std::string> ids;  // what stands for the path's {...}, decoded
  Reply reply;
  std::chrono::steady_clock::time_point arrived = {};
};

struct Route {
  std::string method, path;  // "PUT", "/v1/items/{id}"
  Scope scope;
  std::function<void(Call call)> answer;  // what it throws is the reply
  bool light = false;                     // answered at once, however many requests are under way
  std::string writes_with = {};           // a field of the query with which it needs kWrite, too

  std::string name() const { return method + " " + path; }
};

class Router {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }
  const std::vector<Route>& routes() const { return routes_; }

  struct Found {
    const Route* route;
    std::vector<std::string> ids;
  };
  // The route, or the reply that refuses the request: 404, 405. HEAD is answered as GET is. Throws
  // Error when the path's escapes are wrong or an id is too long.
  std::variant<Found, HttpReply> find(const HttpRequest& request) const;

 private:
  std::vector<Route> routes_;
};

// "%41b" to "Ab"; of a query string "+" is a space, too. Throws Error when it is no percent-encoded
// UTF-8.
std::string decoded(std::string_view part, bool query = false);

// A field of the target's query string. Throws as decoded() does.
std::optional<std::string> query_field(const HttpRequest& request, std::string_view name);
// All fields of that name.
std::vector<std::string> query_fields(const HttpRequest& request, std::string_view name);
// Throws Error when there are other fields, whose `where` is the first of them.
void check_query(const HttpRequest& request, std::initializer_list<std::string_view> known);
// The same as a whole number within bounds. Throws Error, whose `where` is the field.
size_t query_number(const HttpRequest& request, std::string_view name, size_t otherwise,
                    size_t most);

}  // namespace podium::serve
