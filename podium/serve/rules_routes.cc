// Rules of slates: what holds, another file of them, and what it would change.
#include <fmt/format.h>

#include "podium/serve/read_json.h"
#include "podium/serve/ruled.h"
#include "podium/serve/service.h"

namespace podium::serve {
namespace {

constexpr size_t kMostPreviewed = RecentRequests::kKept;

Json rules_json(const Service& service) {
  return {{"file", service.rules.file().string()},
          {"toml", service.rules.toml()},
          {"rules", service.rules.now()->describe()}};
}

std::string toml_field(const Json& json) {
  const auto toml = json.find("toml");
  if (toml == json.end() || !toml->is_string()) refuse("toml", "must be a string");
  return toml->get<std::string>();
}

// What was asked lately; where nobody has asked, users of the bundle.
std::vector<RecentRequest> requests_of(const Service& service, const serving::Bundle& bundle,
                                       size_t most) {
  std::vector<RecentRequest> requests = service.recent.newest(most);
  const size_t users = bundle.dataset().users();
  const size_t step = std::max<size_t>(1, users / most);
  for (size_t user = 0; user < users && requests.size() < most; user += step) {
    serving::Request request;
    request.user = bundle.dataset().user_id(data::UserIndex(user));
    request.may_be_new = true;
    requests.push_back({std::move(request), {}});
  }
  return requests;
}

Json ids_of(const policy::Outcome& outcome, const serving::Answer& answer) {
  Json ids = Json::array();
  for (const policy::PlacedItem& placed : outcome.placed)
    ids.push_back(answer.items[placed.index].id);
  return ids;
}

// Nothing when the two lists are the same and the rules hold.
Json difference(const policy::Rules& before, const policy::Rules& after,
                const serving::Recommender& recommender, const RecentRequest& asked) {
  serving::Request request = asked.request;
  request.deadline = serving::Clock::time_point::max();
  request.explain = false;
  RulesRequest ruled{.k = request.k, .context = asked.context, .seed = 1};
  request.k = std::max(asked_for(before, ruled.k), asked_for(after, ruled.k));
  const serving::Answer answer = recommender.answer(request);
  const auto outcome = [&](const policy::Rules& rules) {
    return apply_rules(rules, ruled, recommender, request.user, request.history, answer.items);
  };
  const policy::Outcome now = outcome(before), then = outcome(after);
  Json told = {
      {"user", request.user}, {"before", ids_of(now, answer)}, {"after", ids_of(then, answer)}};
  if (told["before"] == told["after"] && then.unmet.empty()) return {};
  told["removed"] = Json::array();
  for (const policy::RemovedItem& removed : then.removed) {
    told["removed"].push_back({{"item", answer.items[removed.index].id},
                               {"rule", removed.rule},
                               {"reason", removed.reason}});
  }
  told["unmet"] = Json::array();
  for (const policy::Unmet& unmet : then.unmet) {
    told["unmet"].push_back({{"rule", unmet.rule}, {"why", unmet.why}});
  }
  return told;
}

Json preview(const Service& service, const Json& json) {
  constexpr std::string_view kFields[] = {"toml", "requests"};
  check_fields(json, kFields);
  const auto after = policy::Rules::parse(toml_field(json), "rules");
  const size_t most = count_field(json, "requests", 100, kMostPreviewed);
  const auto before = service.rules.now();
  const auto recommender = service.bundle.now();
  const auto requests = requests_of(service, recommender->bundle(), most);
  Json differences = Json::array();
  for (const RecentRequest& request : requests) {
    Json told = difference(*before, after, *recommender, request);
    if (!told.is_null()) differences.push_back(std::move(told));
  }
  return {{"requests", requests.size()},
          {"changed", differences.size()},
          {"differences", std::move(differences)}};
}

}  // namespace

void add_rules_routes(Router& router, Service& service) {
  router.add({"GET", "/v1/rules", Scope::kRead,
              [&service](const Call& call) { call.reply(json_reply(rules_json(service))); }});
  router.add({"PUT", "/v1/rules", Scope::kAdmin, [&service](const Call& call) {
                const Json json = object_of(call.request.body);
                constexpr std::string_view kFields[] = {"toml"};
                check_fields(json, kFields);
                service.rules.replace(toml_field(json));
                call.reply(json_reply(rules_json(service)));
              }});
  router.add({"POST", "/v1/rules/preview", Scope::kAdmin, [&service](const Call& call) {
                call.reply(json_reply(preview(service, object_of(call.request.body))));
              }});
}

}  // namespace podium::serve
