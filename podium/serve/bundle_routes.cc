// Which bundle is served, and whether another is to be.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
#include "podium/serve/service.h"
#include "podium/shadow/gate.h"

namespace podium::serve {
namespace {

Json bundles_json(const Service& service) {
  const auto history = service.bundle.history();
  const auto taken_back = service.bundle.taken_back();
  const auto recommender = service.bundle.now();
  Json list = Json::array(), taken = Json::array();
  for (size_t i = history.size(); i-- > 0;) {
    const bool active = i + 1 == history.size();
    list.push_back(
        {{"dir", history[i].dir.string()}, {"active", active}, {"since", history[i].since}});
    if (!active) continue;
    list.back()["dataset"] = recommender->bundle().dataset().name();
    list.back()["items"] = recommender->bundle().dataset().items();
  }
  for (size_t i = taken_back.size(); i-- > 0;) {
    taken.push_back({{"dir", taken_back[i].dir.string()},
                     {"at", taken_back[i].at},
                     {"why", taken_back[i].why}});
  }
  return {{"active", history.back().dir.string()},
          {"bundles", std::move(list)},
          {"can_roll_back", history.size() > 1},
          {"taken_back", std::move(taken)}};
}

fs::path dir_of(const Json& json) {
  const auto dir = json.find("dir");
  const bool path =
      dir != json.end() && dir->is_string() && serving::id_problem(dir->get<std::string>()).empty();
  if (!path) refuse("dir", "must be the path of a directory");
  return dir->get<std::string>();
}

void begin(const Service& service, const Call& call, const fs::path& dir, const TrialSize& size,
           BundleTrials::Judge judge) {
  if (service.trials.begin(dir, size, std::move(judge), call.reply)) return;
  call.reply(problem(409, "another bundle is being compared", "ask again when that has ended"));
}

void evaluate(const Service& service, const Call& call) {
  const Json json = object_of(call.request.body);
  constexpr std::string_view kFields[] = {"dir", "requests", "events"};
  check_fields(json, kFields);
  TrialSize size;
  size.requests = count_field(json, "requests", size.requests, RecentRequests::kKept);
  size.events = count_field(json, "events", size.events, kMostHeldOut);
  begin(service, call, dir_of(json), size,
        [](const std::shared_ptr<serving::Recommender>&, const shadow::Report& report) {
          Json told = shadow::to_json(report);
          told["objections"] = shadow::objections(report);
          return json_reply(told);
        });
}

void activate(const Service& service, const Call& call) {
  const Json json = object_of(call.request.body);
  constexpr std::string_view kFields[] = {"dir", "force"};
  check_fields(json, kFields);
  const fs::path dir = dir_of(json);
  const auto force = json.find("force");
  if (force != json.end() && !force->is_boolean()) refuse("force", "must be true or false");
  if (force != json.end() && force->get<bool>()) {
    service.bundle.activate(service.bundle.open(dir));
    return call.reply(json_reply(bundles_json(service)));
  }
  begin(service, call, dir, {},
        [&service](const std::shared_ptr<serving::Recommender>& candidate,
                   const shadow::Report& report) {
          const auto against = shadow::objections(report);
          if (!against.empty()) {
            return problem(409, fmt::format("{}", fmt::join(against, "; ")),
                           "/v1/bundles/evaluate tells all of it; \"force\": true activates the "
                           "bundle as it is",
                           "", {{"objections", against}});
          }
          service.bundle.activate(candidate);
          return json_reply(bundles_json(service));
        });
}

}  // namespace

void add_bundle_routes(Router& router, Service& service) {
  router.add({"GET", "/v1/bundles", Scope::kAdmin,
              [&service](const Call& call) { call.reply(json_reply(bundles_json(service))); }});
  router.add({"POST", "/v1/bundles/evaluate", Scope::kAdmin,
              [&service](const Call& call) { evaluate(service, call); }});
  router.add({"POST", "/v1/bundles/activate", Scope::kAdmin,
              [&service](const Call& call) { activate(service, call); }});
  router.add({"POST", "/v1/bundles/roll-back", Scope::kAdmin, [&service](const Call& call) {
                if (!service.bundle.roll_back()) {
                  return call.reply(problem(409, "there is no bundle before this one"));
                }
                call.reply(json_reply(bundles_json(service)));
              }});
}

}  // namespace podium::serve
