// Which bundle is served.
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
#include "podium/serve/service.h"

namespace podium::serve {
namespace {

Json bundles_json(const Service& service) {
  const auto history = service.bundle.history();
  const auto recommender = service.bundle.now();
  Json list = Json::array();
  for (size_t i = history.size(); i-- > 0;) {
    const bool active = i + 1 == history.size();
    list.push_back(
        {{"dir", history[i].dir.string()}, {"active", active}, {"since", history[i].since}});
    if (!active) continue;
    list.back()["dataset"] = recommender->bundle().dataset().name();
    list.back()["items"] = recommender->bundle().dataset().items();
  }
  return {{"active", history.back().dir.string()},
          {"bundles", std::move(list)},
          {"can_roll_back", history.size() > 1}};
}

}  // namespace

void add_bundle_routes(Router& router, Service& service) {
  router.add({"GET", "/v1/bundles", Scope::kAdmin,
              [&service](const Call& call) { call.reply(json_reply(bundles_json(service))); }});
  router.add({"POST", "/v1/bundles/activate", Scope::kAdmin, [&service](const Call& call) {
                const Json json = object_of(call.request.body);
                constexpr std::string_view kFields[] = {"dir"};
                check_fields(json, kFields);
                const auto dir = json.find("dir");
                const bool path = dir != json.end() && dir->is_string() &&
                                  serving::id_problem(dir->get<std::string>()).empty();
                if (!path) refuse("dir", "must be the path of a directory");
                service.bundle.activate(dir->get<std::string>());
                call.reply(json_reply(bundles_json(service)));
              }});
  router.add({"POST", "/v1/bundles/roll-back", Scope::kAdmin, [&service](const Call& call) {
                if (!service.bundle.roll_back()) {
                  return call.reply(problem(409, "there is no bundle before this one"));
                }
                call.reply(json_reply(bundles_json(service)));
              }});
}

}  // namespace podium::serve
