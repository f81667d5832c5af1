#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "podium/base/error.h"
#include "podium/serve/gorse.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
#include "podium/serve/timestamps.h"
#include "podium/serving/history.h"

namespace podium::serve::gorse {
namespace {

constexpr size_t kMostRows = 100000;          // of a request
constexpr int64_t kNoTime = -62'135'596'800;  // of the year 1, as Go writes a time that is unset

}  // namespace

HttpReply affected(size_t rows) { return json_reply({{"RowAffected", rows}}); }

void write(Service& service, const Call& call, std::vector<store::Change> changes, size_t rows) {
  if (changes.empty()) return call.reply(affected(rows));
  service.store.submit(std::move(changes), "",
                       [reply = call.reply, rows](store::Offset, const std::exception_ptr& error) {
                         reply(error ? problem(error) : affected(rows));
                       });
}

size_t number(const HttpRequest& request, std::string_view name, size_t otherwise, size_t most) {
  const std::string text = query_field(request, name).value_or("");
  if (text.empty()) return std::min(otherwise, most);
  size_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || code == std::errc::invalid_argument) {
    refuse(std::string(name), "must be a whole number");
  }
  return code == std::errc() ? std::min(value, most) : most;
}

std::string cursor(const HttpRequest& request) {
  const auto told = query_field(request, "cursor");
  return told ? *told : query_field(request, "Cursor").value_or("");
}

std::optional<std::string> text_field(const Json& object, const char* name,
                                      const std::string& prefix) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) refuse(prefix + name, "must be a string");
  return found->get<std::string>();
}

std::optional<int64_t> timestamp_field(const Json& object, const std::string& prefix) {
  const auto text = text_field(object, "Timestamp", prefix);
  if (!text) return std::nullopt;
  if (text->empty()) return 0;
  const auto time = seconds_of(*text);
  if (!time) refuse(prefix + "Timestamp", "must be a time like 2026-01-31T12:00:00Z");
  if (*time == kNoTime) return 0;
  if (const std::string wrong = serving::time_problem(*time); !wrong.empty()) {
    refuse(prefix + "Timestamp", "cannot be: " + wrong);
  }
  return *time;
}

std::string timestamp(int64_t seconds) { return timestamp_of(seconds == 0 ? kNoTime : seconds); }

Json objects_of(const Call& call) {
  Json json = parse_json(call.request.body, "body");
  if (json.is_object()) json = Json::array({std::move(json)});
  if (!json.is_array() || json.size() > kMostRows) {
    refuse("", fmt::format("must be an array of at most {} objects", kMostRows));
  }
  for (size_t i = 0; i < json.size(); ++i) {
    if (!json[i].is_object()) refuse(fmt::format("[{}]", i), "must be an object");
  }
  return json;
}

Feedback feedback_of(const Json& json, const std::string& prefix, int64_t now) {
  Feedback feedback{id_field(json, "FeedbackType", prefix), id_field(json, "UserId", prefix),
                    id_field(json, "ItemId", prefix)};
  feedback.time = timestamp_field(json, prefix).value_or(0);
  if (feedback.time == 0) feedback.time = now;
  if (const auto value = json.find("Value"); value != json.end() && !value->is_null()) {
    if (!value->is_number()) refuse(prefix + "Value", "must be a number");
    feedback.value = value->get<double>();
  }
  return feedback;
}

Wanted::Wanted(const Service& service, const Call& call, size_t ids_before) {
  categories_ = query_fields(call.request, "category");
  if (call.ids.size() > ids_before) categories_ = {call.ids[ids_before]};
  std::erase(categories_, "");
  const std::string user = query_field(call.request, "user-id").value_or("");
  if (!user.empty()) leave_out_taken(service, user);
}

void Wanted::leave_out_taken(const Service& service, const std::string& user) {
  const serving::LiveHistory history = service.store.history_of(user);
  for (const auto& event : history.events) taken_.insert(event.item);
  if (history.erased) return;
  const auto recommender = service.bundle.now();
  for (const auto& event : recommender->bundle().events_of(user)) taken_.insert(event.item);
}

bool Wanted::has(const serving::Catalogue& catalogue, std::string_view id) const {
  if (taken_.contains(id)) return false;
  if (categories_.empty()) return true;
  const auto story = catalogue.find(id);
  return story && std::ranges::all_of(categories_, [&](const std::string& category) {
           return std::ranges::find(story->facts.categories, category) !=
                  story->facts.categories.end();
         });
}

}  // namespace podium::serve::gorse
