#include "podium/store/change.h"

#include <fmt/format.h>

#include <cmath>

#include "podium/base/error.h"
#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/serving/request_json.h"

namespace podium::store {
namespace {

std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string body_of(const Impression& shown) {
  Json json = {{"items", shown.items}};
  if (!shown.propensities.empty()) json["propensities"] = shown.propensities;
  if (!shown.request.empty()) json["request"] = shown.request;
  return line(json);
}

Impression impression_of(std::string_view user, std::string_view body, int64_t time) {
  const Json json = Json::parse(body);
  Impression shown{.user = std::string(user), .time = time, .items = json.at("items")};
  if (json.contains("propensities"))
    shown.propensities = json["propensities"].get<std::vector<double>>();
  if (json.contains("request")) shown.request = json["request"].get<std::string>();
  return shown;
}

bool is_typed(const serving::LiveEvent& event) { return !event.type.empty() || event.value != 0; }

std::string body_of(const serving::LiveEvent& event) {
  Json json = {{"item", event.item}, {"type", event.type}};
  if (event.value != 0) json["value"] = event.value;
  return line(json);
}

serving::LiveEvent event_of(std::string_view body, int64_t time) {
  const Json json = Json::parse(body);
  return {json.at("item"), time, json.at("type"), json.value("value", 0.0)};
}

std::string body_of(const RemoveEvents& events) {
  Json json = {{"item", events.item}};
  if (events.type) json["type"] = *events.type;
  return line(json);
}

RemoveEvents removed_of(std::string_view user, std::string_view body) {
  const Json json = Json::parse(body);
  RemoveEvents events{std::string(user), json.at("item")};
  if (json.contains("type")) events.type = json["type"].get<std::string>();
  return events;
}

std::string body_of(const serving::LiveItem& item) {
  Json json = {{"title", item.title},
               {"brand", item.brand},
               {"description", item.description},
               {"categories", item.categories}};
  if (!std::isnan(item.price)) json["price"] = item.price;
  if (!item.fields.empty()) json["fields"] = serving::fields_json(item.fields);
  if (item.time != 0) json["time"] = item.time;
  if (!item.labels.empty()) json["labels"] = item.labels;
  return line(json);
}

serving::LiveItem item_of(std::string_view id, std::string_view body) {
  const Json json = Json::parse(body);
  serving::LiveItem item{.id = std::string(id),
                         .title = json.at("title"),
                         .brand = json.at("brand"),
                         .description = json.at("description"),
                         .categories = json.at("categories")};
  if (json.contains("price")) item.price = json.at("price");
  if (const auto wrong = serving::read_fields(json, item)) throw Error(wrong->message);
  item.time = json.value("time", int64_t{0});
  item.labels = json.value("labels", "");
  return item;
}

}  // namespace

std::string digest_of(std::string_view user) { return sha256(fmt::format("user:{}", user)); }

std::string digest_of(std::span<const Change> changes) {
  std::string text;
  const auto put = [&](std::string_view part) {
    text += fmt::format("{}:", part.size());
    text += part;
  };
  const auto put_time = [&](int64_t time, bool now) { put(now ? "now" : std::to_string(time)); };
  for (const Change& change : changes) {
    const auto* told = std::get_if<Event>(&change);
    const bool typed = told && is_typed(told->event);
    put(typed ? "typed" : std::to_string(change.index()));
    if (typed) put(body_of(told->event));
    if (const auto* event = std::get_if<Event>(&change)) {
      put(event->user), put(event->event.item), put_time(event->event.time, event->now);
    } else if (const auto* erase = std::get_if<EraseUser>(&change)) {
      put(erase->user);
    } else if (const auto* item = std::get_if<PutItem>(&change)) {
      put(item->item.id), put(body_of(item->item));
    } else if (const auto* shown = std::get_if<Impression>(&change)) {
      put(shown->user), put(body_of(*shown)), put_time(shown->time, shown->now);
    } else if (const auto* removed = std::get_if<RemoveEvents>(&change)) {
      put(removed->user), put(body_of(*removed));
    } else if (const auto* user = std::get_if<PutUser>(&change)) {
      put(user->user), put(user->told);
    } else {
      put(std::get<RemoveItem>(change).id);
    }
  }
  return sha256(text);
}

Row row_of(const Change& change) {
  if (const auto* event = std::get_if<Event>(&change)) {
    const bool typed = is_typed(event->event);
    return {0, typed ? kTypedEvent : kEvent, event->user,
            typed ? body_of(event->event) : event->event.item, event->event.time};
  }
  if (const auto* erase = std::get_if<EraseUser>(&change)) {
    return {.kind = kErase, .id = digest_of(erase->user)};
  }
  if (const auto* item = std::get_if<PutItem>(&change)) {
    return {.kind = kPut, .id = item->item.id, .item = body_of(item->item)};
  }
  if (const auto* shown = std::get_if<Impression>(&change)) {
    return {0, kShown, shown->user, body_of(*shown), shown->time};
  }
  if (const auto* removed = std::get_if<RemoveEvents>(&change)) {
    return {.kind = kRemoveEvents, .id = removed->user, .item = body_of(*removed)};
  }
  if (const auto* user = std::get_if<PutUser>(&change)) {
    return {.kind = kPutUser, .id = user->user, .item = user->told};
  }
  return {.kind = kRemove, .id = std::get<RemoveItem>(change).id};
}

Change change_of(const Row& row) {
  const int64_t time = row.time.value_or(0);
  switch (row.kind) {
    case kEvent:
      return Event{row.id, {row.item, time}};
    case kTypedEvent:
      return Event{row.id, event_of(row.item, time)};
    case kRemoveEvents:
      return removed_of(row.id, row.item);
    case kPutUser:
      return PutUser{row.id, row.item};
    case kErase:
      return EraseUser{row.id};
    case kPut:
      return PutItem{item_of(row.id, row.item)};
    case kRemove:
      return RemoveItem{row.id};
    case kShown:
      return impression_of(row.id, row.item, time);
    default:
      throw Error(fmt::format("a change of kind {}", row.kind));
  }
}

}  // namespace podium::store
