#include <fmt/format.h>

#include "podium/base/error.h"
#include "podium/serve/gorse.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"

namespace podium::serve::gorse {
namespace {

using serving::LiveUser;

constexpr size_t kMostTold = 16384;  // bytes that are kept of a user

// What is kept of a user, as JSON. `before`: the same, of a user who is changed.
std::string told_of(const Json& json, const std::string& prefix, const std::string& before = "{}") {
  Json told = Json::parse(before);
  if (const auto comment = text_field(json, "Comment", prefix)) told["Comment"] = *comment;
  if (const auto labels = json.find("Labels"); labels != json.end() && !labels->is_null()) {
    told["Labels"] = *labels;
  }
  std::string text = dump(told);
  if (text.size() > kMostTold) {
    refuse(prefix + "Labels", fmt::format("and Comment must be of at most {} bytes", kMostTold));
  }
  return text;
}

bool is_known(const serving::Recommender& recommender, const LiveUser& user) {
  if (user.told || !user.history.events.empty()) return true;
  return !user.history.erased && recommender.bundle().dataset().find_user(user.id).has_value();
}

LiveUser known_user(const Service& service, const std::string& id) {
  LiveUser user = service.store.user(id);
  if (is_known(*service.bundle.now(), user)) return user;
  throw Error(ErrorKind::kNotFound, fmt::format("no user '{}'", id), "insert the user first");
}

Json user_json(const LiveUser& user) {
  const Json told = Json::parse(user.told.value_or("{}"));
  return {{"UserId", user.id},
          {"Labels", told.value("Labels", Json())},
          {"Comment", told.value("Comment", "")}};
}

void insert_users(Service& service, const Call& call) {
  const Json rows = objects_of(call);
  std::vector<store::Change> changes;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string prefix = fmt::format("[{}].", i);
    changes.emplace_back(
        store::PutUser{id_field(rows[i], "UserId", prefix), told_of(rows[i], prefix)});
  }
  write(service, call, std::move(changes), rows.size());
}

void get_user(Service& service, const Call& call) {
  call.reply(json_reply(user_json(known_user(service, call.ids[0]))));
}

void patch_user(Service& service, const Call& call) {
  const Json json = object_of(call.request.body);
  const LiveUser user = known_user(service, call.ids[0]);
  write(service, call, {store::PutUser{user.id, told_of(json, "", user.told.value_or("{}"))}}, 1);
}

void erase_user(Service& service, const Call& call) {
  const bool known = is_known(*service.bundle.now(), service.store.user(call.ids[0]));
  service.recent.forget(call.ids[0]);
  write(service, call, {store::EraseUser{call.ids[0]}}, known ? 1 : 0);
}

// Those that the bundle knows in its order, then the others by id.
void list_users(Service& service, const Call& call) {
  const size_t n = number(call.request, "n", 10, kMostListed);
  const std::string after = cursor(call.request);
  const auto recommender = service.bundle.now();
  const data::Dataset& dataset = recommender->bundle().dataset();
  const auto last = dataset.find_user(after);
  const bool of_bundle = after.empty() || last;
  Json users = Json::array();
  const auto tell = [&](const LiveUser& user) {
    if (is_known(*recommender, user)) users.push_back(user_json(user));
  };
  for (size_t i = last ? *last + 1 : 0; of_bundle && i < dataset.users() && users.size() < n; ++i) {
    tell(service.store.user(dataset.user_id(data::UserIndex(i))));
  }
  std::string from = of_bundle ? std::string() : after + '\0';
  while (users.size() < n) {
    const auto more = service.store.users_from(from, n);
    if (more.empty()) break;
    for (const LiveUser& user : more) {
      if (users.size() < n && !dataset.find_user(user.id)) tell(user);
    }
    from = more.back().id + '\0';
  }
  std::string next;
  if (n > 0 && users.size() == n) next = users.back()["UserId"];
  call.reply(json_reply({{"Cursor", next}, {"Users", std::move(users)}}));
}

constexpr GorseCall kUserCalls[] = {
    {"POST", "/api/user", Scope::kWrite, "Insert a user, or replace what is told.", insert_users},
    {"POST", "/api/users", Scope::kWrite, "Insert or replace users.", insert_users},
    {"GET", "/api/users", Scope::kRead, "List users (n, cursor).", list_users},
    {"GET", "/api/user/{user-id}", Scope::kRead, "A user.", get_user},
    {"PATCH", "/api/user/{user-id}", Scope::kWrite, "Change what is told of a user.", patch_user},
    {"DELETE", "/api/user/{user-id}", Scope::kWrite, "Erase a user and the user's feedback.",
     erase_user},
};

}  // namespace

std::span<const GorseCall> user_calls() { return kUserCalls; }

}  // namespace podium::serve::gorse
