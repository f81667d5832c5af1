#include "podium/serve/keys.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <set>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/serve/problem.h"

namespace podium::serve {
namespace {

constexpr std::pair<const char*, Scope> kScopes[] = {
    {"read", Scope::kRead}, {"write", Scope::kWrite}, {"admin", Scope::kAdmin}};

const char* name_of(Scope scope) {
  for (const auto& [name, of_name] : kScopes) {
    if (of_name == scope) return name;
  }
  return "open";
}

std::string_view presented(const HttpRequest& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view told = request.header("Authorization");
  if (told.starts_with(kBearer)) return told.substr(kBearer.size());
  return request.header("X-API-Key");
}

Key key_of(const Json& json) {
  Key key;
  key.name = json.at("name").get<std::string>();
  key.sha256 = json.at("sha256").get<std::string>();
  for (const Json& scope : json.at("scopes")) key.scopes.push_back(scope_of(scope));
  if (json.contains("per_second")) key.per_second = json["per_second"].get<double>();
  const bool hash = key.sha256.size() == 64 &&
                    key.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!hash) throw Error(fmt::format("the key '{}' has no sha256", key.name));
  if (!(key.per_second >= 0)) throw Error(fmt::format("the key '{}' has a rate below 0", key.name));
  return key;
}

}  // namespace

Scope scope_of(const std::string& name) {
  for (const auto& [of_scope, scope] : kScopes) {
    if (name == of_scope) return scope;
  }
  throw Error(fmt::format("'{}' is no scope", name), "use read, write or admin");
}

std::vector<Key> read_keys(const fs::path& file) {
  std::vector<Key> keys;
  std::set<std::string> names;
  try {
    const Json all = read_json(file);
    for (const Json& json : all.at("keys")) {
      keys.push_back(key_of(json));
      if (!names.insert(keys.back().name).second) {
        throw Error(fmt::format("two keys are named '{}'", keys.back().name));
      }
    }
  } catch (const Json::exception& error) {
    throw Error(fmt::format("not a file of keys: {}", error.what()), "make it by `podium keys add`",
                file.string());
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    throw Error(error.message(), error.cure(), file.string());
  }
  return keys;
}

void write_keys(const fs::path& file, const std::vector<Key>& keys) {
  Json all = Json::array();
  for (const Key& key : keys) {
    Json scopes = Json::array();
    for (const Scope scope : key.scopes) scopes.push_back(name_of(scope));
    all.push_back({{"name", key.name},
                   {"sha256", key.sha256},
                   {"scopes", std::move(scopes)},
                   {"per_second", key.per_second}});
  }
  write_json_atomic(file, {{"keys", std::move(all)}});
}

std::string new_key() {
  unsigned char bytes[32];
  if (getrandom(bytes, sizeof(bytes), 0) != ssize_t(sizeof(bytes))) {
    throw Error(ErrorKind::kUnavailable, "the machine gives no random bytes");
  }
  std::string text = "podium_";
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

Gate::Gate(std::vector<Key> keys) { replace(std::move(keys)); }

void Gate::replace(std::vector<Key> keys) {
  std::vector<Holder> holders;
  for (Key& key : keys) {
    const double burst = std::max(1.0, key.per_second);
    holders.push_back({std::move(key), burst});
  }
  const MutexLock lock(mutex_);
  holders_.swap(holders);
}

std::optional<HttpReply> Gate::refusal(const HttpRequest& request, Scope scope,
                                       serving::Clock::time_point now) {
  if (scope == Scope::kOpen) return std::nullopt;
  const std::string_view told = presented(request);
  const std::string hash = told.empty() ? "" : sha256(told);
  const MutexLock lock(mutex_);
  const auto holder =
      std::ranges::find_if(holders_, [&](const Holder& h) { return h.key.sha256 == hash; });
  if (holder == holders_.end()) {
    HttpReply reply = problem(401, told.empty() ? "this call needs a key" : "no such key",
                              "send it as `Authorization: Bearer KEY`");
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
  }
  const Key& key = holder->key;
  const bool may = std::ranges::any_of(
      key.scopes, [&](Scope has) { return has == scope || has == Scope::kAdmin; });
  if (!may) {
    return problem(403, fmt::format("this key may not {}", name_of(scope)),
                   fmt::format("use a key with the scope {}", name_of(scope)));
  }
  if (key.per_second == 0) return std::nullopt;
  const double burst = std::max(1.0, key.per_second);
  if (holder->since != serving::Clock::time_point{}) {
    const double passed = std::chrono::duration<double>(now - holder->since).count();
    holder->left = std::min(burst, holder->left + passed * key.per_second);
  }
  holder->since = now;
  if (holder->left < 1) {
    return problem(429, fmt::format("this key may send {} requests a second", key.per_second));
  }
  holder->left -= 1;
  return std::nullopt;
}

}  // namespace podium::serve
