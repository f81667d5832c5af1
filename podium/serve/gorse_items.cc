#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/serve/gorse.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"

namespace podium::serve::gorse {
namespace {

using serving::LiveItem;

// All texts in it, one after the other.
void add_words(const Json& labels, std::string& words) {
  if (labels.is_string()) {
    if (!words.empty()) words += ' ';
    words += labels.get<std::string>();
  } else if (labels.is_structured()) {
    for (const Json& label : labels) add_words(label, words);
  }
}

void check_not_hidden(const Json& json, const std::string& prefix) {
  const auto hidden = json.find("IsHidden");
  if (hidden == json.end() || hidden->is_null()) return;
  if (!hidden->is_boolean()) refuse(prefix + "IsHidden", "must be true or false");
}

bool hides(const Json& json) { return json.contains("IsHidden") && json["IsHidden"] == true; }

HttpReply cannot_hide() {
  return problem(501, "podium does not hide items",
                 "delete the item, or write a rule that filters it out", "IsHidden");
}

// Puts what is told of an item into it.
void read_facts(const Json& json, const std::string& prefix, LiveItem& item) {
  check_not_hidden(json, prefix);
  if (auto comment = text_field(json, "Comment", prefix)) item.title = std::move(*comment);
  if (const auto time = timestamp_field(json, prefix)) item.time = *time;
  if (const auto labels = json.find("Labels"); labels != json.end() && !labels->is_null()) {
    item.labels = dump(*labels);
    item.description.clear();
    add_words(*labels, item.description);
  }
  const auto categories = json.find("Categories");
  if (categories == json.end() || categories->is_null()) return;
  const bool texts = categories->is_array() &&
                     std::ranges::all_of(*categories, [](auto& c) { return c.is_string(); });
  if (!texts) refuse(prefix + "Categories", "must be an array of strings");
  item.categories = categories->get<std::vector<std::string>>();
}

// What was told of it last, else what it was trained with.
std::optional<LiveItem> facts_of(const Service& service, const std::string& id) {
  if (auto told = service.store.item(id)) return told;
  const auto recommender = service.bundle.now();
  const auto story = recommender->catalogue().find(id);
  return story ? std::optional(story->facts) : std::nullopt;
}

LiveItem known_item(const Service& service, const std::string& id) {
  if (auto item = facts_of(service, id)) return *item;
  throw Error(ErrorKind::kNotFound, fmt::format("no item '{}'", id), "insert it first");
}

Json item_json(const LiveItem& item) {
  return {{"ItemId", item.id},
          {"IsHidden", false},
          {"Categories", item.categories},
          {"Timestamp", timestamp(item.time)},
          {"Labels", item.labels.empty() ? Json() : Json::parse(item.labels)},
          {"Comment", item.title}};
}

void insert_items(Service& service, const Call& call) {
  const Json rows = objects_of(call);
  std::vector<LiveItem> items;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string prefix = fmt::format("[{}].", i);
    items.push_back({.id = id_field(rows[i], "ItemId", prefix)});
    read_facts(rows[i], prefix, items.back());
    if (hides(rows[i])) return call.reply(cannot_hide());
  }
  if (!items.empty()) service.bundle.put_items(items);
  call.reply(affected(items.size()));
}

void get_item(Service& service, const Call& call) {
  call.reply(json_reply(item_json(known_item(service, call.ids[0]))));
}

void patch_item(Service& service, const Call& call) {
  const Json json = object_of(call.request.body);
  LiveItem item = known_item(service, call.ids[0]);
  read_facts(json, "", item);
  if (hides(json)) return call.reply(cannot_hide());
  service.bundle.put_items({&item, 1});
  call.reply(affected(1));
}

void remove_item(Service& service, const Call& call) {
  const auto recommender = service.bundle.now();
  if (recommender->bundle().dataset().find_item(call.ids[0])) {
    return call.reply(problem(501, "the item belongs to the bundle that is served",
                              "train a bundle without it, and activate that"));
  }
  call.reply(affected(service.bundle.remove_item(call.ids[0]) ? 1 : 0));
}

void set_category(Service& service, const Call& call, bool wanted) {
  LiveItem item = known_item(service, call.ids[0]);
  const size_t removed = std::erase(item.categories, call.ids[1]);
  if (wanted) item.categories.push_back(call.ids[1]);
  if (wanted || removed > 0) service.bundle.put_items({&item, 1});
  call.reply(affected(1));
}

// Those that the bundle knows in its order, then the others by id; `after` is the id of the last
// one that was told.
std::vector<std::string> page_of(const serving::Recommender& recommender, const std::string& after,
                                 size_t n) {
  const serving::Catalogue catalogue = recommender.catalogue();
  const auto last = recommender.bundle().dataset().find_item(after);
  const bool of_bundle = after.empty() || last;
  std::vector<std::string> ids;
  const size_t trained = of_bundle ? catalogue.trained_items() : 0;
  for (size_t i = last ? *last + 1 : 0; i < trained && ids.size() < n; ++i) {
    ids.emplace_back(catalogue.trained_id(i));
  }
  for (size_t i = of_bundle ? 0 : catalogue.added_after(after);
       i < catalogue.added_items() && ids.size() < n; ++i) {
    ids.push_back(catalogue.added(i).id);
  }
  return ids;
}

void list_items(Service& service, const Call& call) {
  const size_t n = number(call.request, "n", 10, kMostListed);
  const std::string text = query_field(call.request, "q").value_or("");
  const auto recommender = service.bundle.now();
  std::vector<std::string> ids;
  if (text.empty()) {
    ids = page_of(*recommender, cursor(call.request), n);
  } else {
    for (auto& found : recommender->catalogue().search(text, n)) ids.push_back(std::move(found.id));
  }
  Json items = Json::array();
  for (const std::string& id : ids) {
    if (const auto item = facts_of(service, id)) items.push_back(item_json(*item));
  }
  const bool more = text.empty() && n > 0 && ids.size() == n;
  call.reply(json_reply({{"Cursor", more ? ids.back() : ""}, {"Items", std::move(items)}}));
}

constexpr GorseCall kItemCalls[] = {
    {"POST", "/api/item", Scope::kWrite, "Insert an item, or replace it.", insert_items},
    {"POST", "/api/items", Scope::kWrite, "Insert or replace items.", insert_items},
    {"GET", "/api/items", Scope::kRead, "List items (n, cursor), or find them by words (q).",
     list_items},
    {"GET", "/api/item/{item-id}", Scope::kRead, "An item.", get_item},
    {"PATCH", "/api/item/{item-id}", Scope::kWrite, "Change what is told of an item.", patch_item},
    {"DELETE", "/api/item/{item-id}", Scope::kWrite,
     "Remove an item; 501 of one that the bundle was trained with.", remove_item},
    {"PUT", "/api/item/{item-id}/category/{category}", Scope::kWrite, "Put it into a category.",
     [](Service& service, const Call& call) { set_category(service, call, true); }},
    {"DELETE", "/api/item/{item-id}/category/{category}", Scope::kWrite, "Take it out of one.",
     [](Service& service, const Call& call) { set_category(service, call, false); }},
};

}  // namespace

std::span<const GorseCall> item_calls() { return kItemCalls; }

}  // namespace podium::serve::gorse
