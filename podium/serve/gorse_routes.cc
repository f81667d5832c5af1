#include <algorithm>

#include "podium/serve/gorse.h"

namespace podium::serve {
namespace {

using gorse::GorseCall;

std::vector<GorseCall> all_calls() {
  std::vector<GorseCall> all;
  for (const auto calls : {gorse::item_calls(), gorse::user_calls(), gorse::feedback_calls(),
                           gorse::recommend_calls(), gorse::list_calls()}) {
    all.insert(all.end(), calls.begin(), calls.end());
  }
  return all;
}

// The path's {...}, as OpenAPI has them.
Json parameters_of(std::string_view path) {
  Json parameters = Json::array();
  for (size_t at; (at = path.find('{')) != path.npos;) {
    path.remove_prefix(at + 1);
    parameters.push_back({{"name", path.substr(0, path.find('}'))},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

std::string described() {
  Json paths = Json::object();
  for (const GorseCall& call : all_calls()) {
    std::string method = call.method;
    std::ranges::transform(method, method.begin(), [](char c) { return char(c - 'A' + 'a'); });
    paths[call.path][method] = {{"summary", call.about},
                                {"parameters", parameters_of(call.path)},
                                {"responses", {{"default", {{"description", "JSON"}}}}}};
  }
  return dump({{"openapi", "3.1.0"},
               {"info",
                {{"title", "Gorse's calls, as podium answers them"},
                 {"version", "1"},
                 {"description", "podium's own are in /openapi.json"}}},
               {"paths", std::move(paths)}});
}

}  // namespace

HttpReply gorse_health(bool ready, int status) {
  HttpReply reply = json_reply({{"Ready", ready},
                                {"DataStoreConnected", true},
                                {"CacheStoreConnected", true},
                                {"DataStoreError", nullptr},
                                {"CacheStoreError", nullptr}});
  reply.status = status;
  return reply;
}

void add_gorse_routes(Router& router, Service& service) {
  for (const GorseCall& call : all_calls()) {
    router.add({call.method, call.path, call.scope,
                [&service, answer = call.answer](const Call& told) { answer(service, told); },
                false, call.writes_with});
  }
  router.add({"GET", "/apidocs.json", Scope::kOpen,
              [text = described()](const Call& call) { call.reply({.body = text}); }, true});
}

}  // namespace podium::serve
