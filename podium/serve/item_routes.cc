// The catalogue: items that came after training, and what is known of all of them.
#include <fmt/format.h>

#include <cmath>

#include "podium/base/error.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
#include "podium/serve/service.h"
#include "podium/serving/request_json.h"

namespace podium::serve {
namespace {

constexpr size_t kMostFound = 1000;    // of a search
constexpr size_t kMostPlaces = 50000;  // of a map

void read_facts(const Json& json, const std::string& prefix, serving::LiveItem& item) {
  if (const auto wrong = serving::read_item(json, item))
    refuse(prefix + wrong->field, wrong->message);
}

serving::LiveItem item_of(std::string id, std::string_view body, serving::LiveItem before = {}) {
  const Json json = object_of(body);
  check_fields(json, serving::kItemFields);
  serving::LiveItem item = std::move(before);
  item.id = std::move(id);
  read_facts(json, "", item);
  return item;
}

std::vector<serving::LiveItem> items_of(std::string_view body) {
  const Json json = object_of(body);
  constexpr std::string_view kFields[] = {"items"};
  check_fields(json, kFields);
  std::vector<std::string_view> fields = {"id"};
  fields.insert(fields.end(), std::begin(serving::kItemFields), std::end(serving::kItemFields));
  const Json& list = list_field(json, "items", kMostEvents);
  std::vector<serving::LiveItem> items;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string prefix = fmt::format("items[{}].", i);
    check_fields(list[i], fields, prefix);
    items.push_back({.id = id_field(list[i], "id", prefix)});
    read_facts(list[i], prefix, items.back());
  }
  return items;
}

void put(Service& service, const Call& call, std::span<const serving::LiveItem> items, Json reply) {
  service.bundle.put_items(items);
  reply["offset"] = service.store.applied();
  call.reply(json_reply(reply));
}

Json neighbours_json(const std::vector<serving::Neighbour>& neighbours, bool scored) {
  Json list = Json::array();
  for (const serving::Neighbour& neighbour : neighbours) {
    Json told = {{"id", neighbour.id}};
    if (!neighbour.title.empty()) told["title"] = neighbour.title;
    if (scored) told["score"] = neighbour.score;
    list.push_back(std::move(told));
  }
  return list;
}

Json story_json(const Service& service, const std::string& id) {
  const auto recommender = service.bundle.now();
  const serving::Catalogue catalogue = recommender->catalogue();
  const auto story = catalogue.find(id);
  if (!story) throw Error(ErrorKind::kNotFound, fmt::format("no item '{}'", id), "check the id");
  const serving::LiveItem& facts = story->facts;
  Json told = {{"id", facts.id}};
  if (!facts.title.empty()) told["title"] = facts.title;
  if (!facts.brand.empty()) told["brand"] = facts.brand;
  if (!facts.description.empty()) told["description"] = facts.description;
  if (!facts.categories.empty()) told["categories"] = facts.categories;
  if (!std::isnan(facts.price)) told["price"] = facts.price;
  if (const auto live = service.store.item(id); live && !live->fields.empty()) {
    told["fields"] = serving::fields_json(live->fields);
  }
  told["origin"] = story->live ? "live" : "trained";
  told["events"] = story->events;
  told["semantic_id"] = story->semantic_id;
  Json same = Json::array();
  for (const serving::PrefixNeighbour& other : catalogue.same_prefix(id, 20)) {
    same.push_back(
        {{"id", other.id}, {"semantic_id", other.semantic_id}, {"common", other.common}});
    if (!other.title.empty()) same.back()["title"] = other.title;
  }
  told["same_prefix"] = std::move(same);
  told["similar"] = neighbours_json(catalogue.by_text(id, 10), true);
  return told;
}

Json map_json(const serving::Catalogue& catalogue, size_t limit) {
  Json list = Json::array();
  for (const serving::MapPlace& place : catalogue.map(limit)) {
    list.push_back(
        {{"id", place.id}, {"x", place.x}, {"y", place.y}, {"semantic_id", place.semantic_id}});
    if (!place.title.empty()) list.back()["title"] = place.title;
  }
  return {{"items", std::move(list)}, {"of", catalogue.trained_items()}};
}

// What was told of the item since training, or else what the bundle knows, with some fields
// changed.
void patch(Service& service, const Call& call) {
  auto before = service.store.item(call.ids[0]);
  const auto recommender = service.bundle.now();
  if (const auto story = recommender->catalogue().find(call.ids[0]); story && !before) {
    before = story->facts;
  }
  if (!before) {
    throw Error(ErrorKind::kNotFound, "there is no such item", "PUT it, with all its fields");
  }
  const serving::LiveItem item = item_of(call.ids[0], call.request.body, *before);
  put(service, call, {&item, 1}, {{"id", item.id}});
}

void add_changes(Router& router, Service& service) {
  router.add({"POST", "/v1/items", Scope::kWrite, [&service](const Call& call) {
                const auto items = items_of(call.request.body);
                put(service, call, items, {{"items", items.size()}});
              }});
  router.add({"PUT", "/v1/items/{id}", Scope::kWrite, [&service](const Call& call) {
                const serving::LiveItem item = item_of(call.ids[0], call.request.body);
                put(service, call, {&item, 1}, {{"id", item.id}});
              }});
  router.add({"PATCH", "/v1/items/{id}", Scope::kWrite,
              [&service](const Call& call) { patch(service, call); }});
  router.add({"DELETE", "/v1/items/{id}", Scope::kWrite, [&service](const Call& call) {
                if (service.bundle.remove_item(call.ids[0])) {
                  return call.reply({.status = 204, .type = {}});
                }
                call.reply(problem(404, "no item of this id came after training"));
              }});
}

}  // namespace

void add_item_routes(Router& router, Service& service) {
  add_changes(router, service);
  router.add({"GET", "/v1/items", Scope::kRead, [&service](const Call& call) {
                check_query(call.request, {"query", "limit"});
                const std::string text = query_field(call.request, "query").value_or("");
                const size_t limit = query_number(call.request, "limit", 20, kMostFound);
                const auto found = service.bundle.now()->catalogue().search(text, limit);
                call.reply(json_reply({{"items", neighbours_json(found, false)}}));
              }});
  router.add({"GET", "/v1/items/{id}", Scope::kRead, [&service](const Call& call) {
                call.reply(json_reply(story_json(service, call.ids[0])));
              }});
  router.add({"GET", "/v1/map", Scope::kRead, [&service](const Call& call) {
                check_query(call.request, {"limit"});
                const size_t limit = query_number(call.request, "limit", 20000, kMostPlaces);
                const auto recommender = service.bundle.now();
                call.reply(json_reply(map_json(recommender->catalogue(), limit)));
              }});
  router.add({"POST", "/v1/similar", Scope::kRead, [&service](const Call& call) {
                const Json json = object_of(call.request.body);
                constexpr std::string_view kFields[] = {"item", "k"};
                check_fields(json, kFields);
                const std::string item = id_field(json, "item");
                const size_t k = count_field(json, "k", 10, serving::kMostItems);
                const auto recommender = service.bundle.now();
                const auto found = recommender->catalogue().similar(item, k);
                call.reply(json_reply({{"item", item}, {"items", neighbours_json(found, true)}}));
              }});
}

}  // namespace podium::serve
