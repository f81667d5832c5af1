// Events, impressions and users.
#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
#include "podium/serve/service.h"

namespace podium::serve {
namespace {

using store::Change;

std::string place_of(const char* list, size_t i) { return fmt::format("{}[{}].", list, i); }

// {"events": [{"user", "item", "time"?}]}; an event without a time happened now.
std::vector<Change> events_of(std::string_view body) {
  const Json json = object_of(body);
  constexpr std::string_view kFields[] = {"events"}, kOfEvent[] = {"user", "item", "time"};
  check_fields(json, kFields);
  const Json& events = list_field(json, "events", kMostEvents);
  std::vector<Change> changes;
  for (size_t i = 0; i < events.size(); ++i) {
    const std::string prefix = place_of("events", i);
    check_fields(events[i], kOfEvent, prefix);
    store::Event event{.user = id_field(events[i], "user", prefix), .event = {}};
    event.event.item = id_field(events[i], "item", prefix);
    event.event.time = time_field(events[i], prefix, 0);
    event.now = !events[i].contains("time");
    changes.emplace_back(std::move(event));
  }
  return changes;
}

std::vector<double> propensities_of(const Json& json, const std::string& prefix, size_t items) {
  const auto found = json.find("propensities");
  if (found == json.end()) return {};
  const std::string field = prefix + "propensities";
  if (!found->is_array() || found->size() != items) {
    refuse(field, "must be an array with a number for each item");
  }
  std::vector<double> values;
  for (const Json& value : *found) {
    if (!value.is_number() || !(value.get<double>() > 0) || value.get<double>() > 1) {
      refuse(field, "must be numbers above 0, up to 1");
    }
    values.push_back(value.get<double>());
  }
  return values;
}

// {"impressions": [{"user", "items": [...], "time"?, "propensities"?, "request"?}]}
std::vector<Change> impressions_of(std::string_view body) {
  const Json json = object_of(body);
  constexpr std::string_view kFields[] = {"impressions"},
                             kOfEach[] = {"user", "items", "time", "propensities", "request"};
  check_fields(json, kFields);
  const Json& all = list_field(json, "impressions", kMostEvents);
  std::vector<Change> changes;
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string prefix = place_of("impressions", i);
    check_fields(all[i], kOfEach, prefix);
    store::Impression shown{.user = id_field(all[i], "user", prefix),
                            .time = time_field(all[i], prefix, 0),
                            .items = {},
                            .now = !all[i].contains("time")};
    const auto items = all[i].find("items");
    if (items == all[i].end() || !items->is_array() || items->empty() ||
        items->size() > serving::kMostItems) {
      refuse(prefix + "items", fmt::format("must be an array of 1 to {}", serving::kMostItems));
    }
    for (size_t r = 0; r < items->size(); ++r) {
      shown.items.push_back(id_of((*items)[r], fmt::format("{}items[{}]", prefix, r)));
    }
    shown.propensities = propensities_of(all[i], prefix, shown.items.size());
    if (all[i].contains("request")) shown.request = id_field(all[i], "request", prefix);
    changes.emplace_back(std::move(shown));
  }
  return changes;
}

// The changes were read: what the store does not like of them is that their key stands for others.
HttpReply append_problem(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& told) {
    if (told.kind() == ErrorKind::kBadRequest) return problem(409, told.message(), told.cure());
    return problem(error);
  } catch (...) {
    return problem(error);
  }
}

// Acknowledges when all of it is durable.
void append(Service& service, const Call& call, std::vector<Change> changes, const char* what) {
  const size_t count = changes.size();
  const std::string key(call.request.header("Idempotency-Key"));
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (key.size() > 255 || !std::ranges::all_of(key, printable)) {
    refuse("Idempotency-Key", "must be of at most 255 printable ASCII characters");
  }
  service.store.submit(
      std::move(changes), key,
      [reply = call.reply, count, what](store::Offset offset, const std::exception_ptr& error) {
        if (error) return reply(append_problem(error));
        reply(json_reply({{"offset", offset}, {what, count}}));
      });
}

Json event_json(const serving::Catalogue& catalogue, const serving::LiveEvent& event) {
  Json told = {{"item", event.item}, {"time", event.time}};
  if (const auto title = catalogue.title(event.item); !title.empty()) told["title"] = title;
  return told;
}

Json user_json(const Service& service, const std::string& user) {
  const auto recommender = service.bundle.now();
  const serving::Catalogue catalogue = recommender->catalogue();
  const serving::LiveHistory live = service.store.history_of(user);
  const auto trained = recommender->bundle().events_of(user);
  Json told = Json::array(), events = Json::array();
  if (!live.erased) {
    for (const auto& event : trained) told.push_back(event_json(catalogue, event));
  }
  for (const auto& event : live.events) events.push_back(event_json(catalogue, event));
  return {{"user", user},
          {"erased", live.erased},
          {"known", !told.empty() || !events.empty()},
          {"trained", std::move(told)},
          {"events", std::move(events)}};
}

}  // namespace

void add_event_routes(Router& router, Service& service) {
  router.add({"POST", "/v1/events", Scope::kWrite, [&service](const Call& call) {
                append(service, call, events_of(call.request.body), "events");
              }});
  router.add({"POST", "/v1/impressions", Scope::kWrite, [&service](const Call& call) {
                append(service, call, impressions_of(call.request.body), "impressions");
              }});
  router.add({"GET", "/v1/users/{id}", Scope::kRead, [&service](const Call& call) {
                call.reply(json_reply(user_json(service, call.ids[0])));
              }});
  router.add({"DELETE", "/v1/users/{id}", Scope::kWrite, [&service](const Call& call) {
                service.store.erase_user(call.ids[0]);
                service.recent.forget(call.ids[0]);
                call.reply({.status = 204, .type = {}});
              }});
}

}  // namespace podium::serve
