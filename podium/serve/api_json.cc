#include "podium/serve/api_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/nearest.h"
#include "podium/serving/reasons.h"

namespace podium::serve {
namespace {

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

[[noreturn]] void refuse(const std::string& field, const std::string& what) {
  throw Error(fmt::format("{} {}", field.empty() ? "the body" : field, what),
              "see the API's description", field);
}

Json object_of(std::string_view body) {
  Json json = parse_json(body, "body");
  if (!json.is_object()) refuse("", "must be a JSON object");
  return json;
}

void check_fields(const Json& object, std::span<const std::string_view> known,
                  const std::string& prefix) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string shown = name.substr(0, 100);
    refuse(prefix + shown,
           fmt::format("is an unknown field, did you mean {}?", nearest(shown, known)));
  }
}

// A string or a whole number.
std::string id_of(const Json& object, const char* name, const std::string& prefix) {
  const auto found = object.find(name);
  if (found == object.end()) refuse(prefix + name, "is missing");
  if (found->is_number_integer()) return found->dump();
  if (!found->is_string()) refuse(prefix + name, "must be a string or a whole number");
  return found->get<std::string>();
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  if (!found->is_string()) refuse(name, "must be a string");
  return found->get<std::string>();
}

store::Event event_of(const Json& json, const std::string& prefix, int64_t now) {
  if (!json.is_object()) refuse(prefix.substr(0, prefix.size() - 1), "must be an object");
  constexpr std::string_view kFields[] = {"user", "item", "time"};
  check_fields(json, kFields, prefix);
  store::Event event{id_of(json, "user", prefix), {id_of(json, "item", prefix), now}};
  if (const auto time = json.find("time"); time != json.end()) {
    if (!time->is_number_integer()) refuse(prefix + "time", "must be unix seconds");
    event.event.time = time->get<int64_t>();
  }
  try {
    serving::check_event(event.user, event.event);
  } catch (const Error& error) {
    refuse(prefix.substr(0, prefix.size() - 1), error.message());
  }
  return event;
}

}  // namespace

std::vector<store::Change> events_of(std::string_view body, size_t most, int64_t now) {
  const Json json = object_of(body);
  constexpr std::string_view kFields[] = {"events"};
  check_fields(json, kFields, "");
  const auto events = json.find("events");
  if (events == json.end()) refuse("events", "is missing");
  if (!events->is_array() || events->empty() || events->size() > most) {
    refuse("events", fmt::format("must be an array of 1 to {} events", most));
  }
  std::vector<store::Change> changes;
  for (size_t i = 0; i < events->size(); ++i) {
    changes.emplace_back(event_of((*events)[i], fmt::format("events[{}].", i), now));
  }
  return changes;
}

serving::LiveItem item_of(std::string id, std::string_view body) {
  const Json json = object_of(body);
  constexpr std::string_view kFields[] = {"title", "brand", "description", "categories", "price"};
  check_fields(json, kFields, "");
  serving::LiveItem item;
  item.id = std::move(id);
  item.title = text_of(json, "title");
  item.brand = text_of(json, "brand");
  item.description = text_of(json, "description");
  if (const auto categories = json.find("categories"); categories != json.end()) {
    const bool texts = categories->is_array() &&
                       std::ranges::all_of(*categories, [](auto& c) { return c.is_string(); });
    if (!texts) refuse("categories", "must be an array of strings");
    item.categories = categories->get<std::vector<std::string>>();
  }
  if (const auto price = json.find("price"); price != json.end()) {
    if (!price->is_number()) refuse("price", "must be a number");
    item.price = price->get<float>();
    if (!std::isfinite(item.price)) refuse("price", "is out of range");
  }
  return item;
}

std::string recommend_json(const std::string& id, const serving::Answer& answer,
                           const serving::Bundle& bundle) {
  Json items = Json::array();
  for (const serving::AnswerItem& item : answer.items) {
    Json told = {{"id", item.id}};
    if (!item.title.empty()) told["title"] = item.title;
    told["upstream_rank"] = item.upstream_rank;
    if (const auto sources = serving::sources(item, bundle); !sources.empty()) {
      told["sources"] = sources;
    }
    if (const auto reasons = serving::reasons(item.evidence); !reasons.empty()) {
      told["reasons"] = reasons;
    }
    if (!item.known) told["known"] = false;
    items.push_back(std::move(told));
  }
  Json out = Json::object();
  if (!id.empty()) out["id"] = id;
  out["items"] = std::move(items);
  if (!answer.explanation.empty()) out["explanation"] = answer.explanation;
  if (!answer.degraded.empty()) out["degraded"] = answer.degraded;
  out["history"] = answer.history;
  if (answer.unknown_history > 0) out["unknown_history"] = answer.unknown_history;
  if (answer.unknown_candidates > 0) out["unknown_candidates"] = answer.unknown_candidates;
  out["took_ms"] = {{"retrieval", answer.took.retrieval},
                    {"ranking", answer.took.ranking},
                    {"policy", answer.took.policy}};
  return dump(out);
}

std::string user_json(const std::string& user, const serving::LiveHistory& history) {
  Json events = Json::array();
  for (const serving::LiveEvent& event : history.events) {
    events.push_back({{"item", event.item}, {"time", event.time}});
  }
  return dump({{"user", user}, {"erased", history.erased}, {"events", std::move(events)}});
}

std::string decoded(std::string_view part) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string text;
  for (size_t i = 0; i < part.size(); ++i) {
    char c = part[i];
    if (c == '%') {
      const int high = i + 2 < part.size() ? digit(part[i + 1]) : -1;
      const int low = i + 2 < part.size() ? digit(part[i + 2]) : -1;
      if (high < 0 || low < 0) throw Error("a path whose percent signs encode nothing");
      c = char(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      throw Error("a path that holds control characters");
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

}  // namespace podium::serve
