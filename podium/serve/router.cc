#include "podium/serve/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/serve/problem.h"
#include "podium/serving/request.h"

namespace podium::serve {
namespace {

// The next part of a path up to a slash, which is taken off.
std::string_view next_part(std::string_view& path) {
  const size_t end = std::min(path.find('/'), path.size());
  const std::string_view part = path.substr(0, end);
  path.remove_prefix(std::min(end + 1, path.size()));
  return part;
}

// The undecoded ids when the path is of this form.
std::optional<std::vector<std::string_view>> ids_of(std::string_view form, std::string_view path) {
  std::vector<std::string_view> ids;
  if (std::ranges::count(form, '/') != std::ranges::count(path, '/')) return std::nullopt;
  while (!form.empty()) {
    const std::string_view want = next_part(form), have = next_part(path);
    if (want.starts_with('{')) {
      if (have.empty()) return std::nullopt;
      ids.push_back(have);
    } else if (want != have) {
      return std::nullopt;
    }
  }
  if (!path.empty()) return std::nullopt;
  return ids;
}

std::string id_of(std::string_view part) {
  std::string id = decoded(part);
  const std::string problem = serving::id_problem(id);
  if (!problem.empty()) throw Error("an id in the path " + problem);
  return id;
}

// Names and values of the query string, undecoded.
std::vector<std::pair<std::string_view, std::string_view>> query_of(const HttpRequest& request) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  const size_t start = request.target.find('?');
  if (start == std::string::npos) return pairs;
  std::string_view rest = std::string_view(request.target).substr(start + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty()) {
      pairs.emplace_back(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
    }
  }
  return pairs;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::variant<Router::Found, HttpReply> Router::find(const HttpRequest& request) const {
  const std::string_view path = request.path();
  const std::string_view told = request.method, method = told == "HEAD" ? "GET" : told;
  std::string allowed;
  for (const Route& route : routes_) {
    const auto parts = ids_of(route.path, path);
    if (!parts) continue;
    if (route.method == method) {
      Found found{&route, {}};
      for (const std::string_view part : *parts) found.ids.push_back(id_of(part));
      return found;
    }
    if (allowed.find(route.method) == std::string::npos) {
      allowed += (allowed.empty() ? "" : ", ") + route.method;
    }
  }
  if (allowed.empty()) return problem(404, "there is nothing at this path", "see /openapi.json");
  HttpReply reply = problem(405, "use " + allowed);
  reply.headers.emplace_back("Allow", allowed);
  return reply;
}

std::string decoded(std::string_view part, bool query) {
  std::string text;
  for (size_t i = 0; i < part.size(); ++i) {
    char c = query && part[i] == '+' ? ' ' : part[i];
    if (c == '%') {
      const int high = i + 2 < part.size() ? digit(part[i + 1]) : -1;
      const int low = i + 2 < part.size() ? digit(part[i + 2]) : -1;
      if (high < 0 || low < 0) throw Error("a path whose percent signs encode nothing");
      c = char(high * 16 + low);
      i += 2;
    }
    text += c;
  }
  try {
    (void)Json(text).dump();  // strict: throws on what is no UTF-8
  } catch (const Json::exception&) {
    throw Error("a path that is no UTF-8");
  }
  return text;
}

std::optional<std::string> query_field(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : query_of(request)) {
    if (key == name) return decoded(value, true);
  }
  return std::nullopt;
}

std::vector<std::string> query_fields(const HttpRequest& request, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : query_of(request)) {
    if (key == name) values.push_back(decoded(value, true));
  }
  return values;
}

void check_query(const HttpRequest& request, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : query_of(request)) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string name = decoded(key, true).substr(0, 100);
    throw Error(fmt::format("{} is an unknown field of the query", name), "see /openapi.json",
                name);
  }
}

size_t query_number(const HttpRequest& request, std::string_view name, size_t otherwise,
                    size_t most) {
  const std::optional<std::string> field = query_field(request, name);
  if (!field) return otherwise;
  const std::string& text = *field;
  size_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value > most) {
    throw Error(fmt::format("{} must be a whole number of at most {}", name, most), "",
                std::string(name));
  }
  return value;
}

}  // namespace podium::serve
