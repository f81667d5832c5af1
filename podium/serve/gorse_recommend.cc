#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "podium/base/error.h"
#include "podium/serve/gorse.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
#include "podium/serve/ruled.h"
#include "podium/serve/timestamps.h"
#include "podium/serving/history.h"

namespace podium::serve::gorse {
namespace {

using serving::Answer;
using serving::AnswerItem;
using serving::kMostItems;
using Scores = std::vector<serving::Neighbour>;  // ids and scores

// What of a ranking is asked for.
struct Cut {
  size_t n, offset;

  explicit Cut(const Call& call)
      : n(number(call.request, "n", 10, kMostItems)),
        offset(number(call.request, "offset", 0, kMostItems)) {}
  Scores of(Scores all) const {
    all.erase(all.begin(), all.begin() + std::ptrdiff_t(std::min(offset, all.size())));
    all.resize(std::min(n, all.size()));
    return all;
  }
};

Json scores_json(const Scores& scores) {
  Json list = Json::array();
  for (const auto& one : scores) list.push_back({{"Id", one.id}, {"Score", one.score}});
  return list;
}

Scores wanted_of(const serving::Catalogue& catalogue, Scores scores, const Wanted& wanted) {
  std::erase_if(scores, [&](const auto& one) { return !wanted.has(catalogue, one.id); });
  return scores;
}

// The most popular first, of what the bundle knows.
Scores popular_of(const serving::Recommender& recommender) {
  const serving::Bundle& bundle = recommender.bundle();
  const auto& popularity = *bundle.upstream().sources().popularity;
  Scores all;
  for (const auto& [item, score] :
       popularity.retrieve({.history = {}, .times = {}}, bundle.dataset().items())) {
    all.push_back({std::string(bundle.dataset().item_id(item)), {}, score});
  }
  return all;
}

// Those that came after training, the newest first: of each its time.
std::vector<std::pair<int64_t, std::string_view>> newest_of(const serving::Catalogue& catalogue) {
  std::vector<std::pair<int64_t, std::string_view>> all;
  for (size_t i = 0; i < catalogue.added_items(); ++i) {
    all.emplace_back(catalogue.added(i).time, catalogue.added(i).id);
  }
  std::ranges::stable_sort(all, std::ranges::greater(), [](auto& one) { return one.first; });
  return all;
}

struct Asked {
  serving::Request request;
  Wanted wanted;
  Wanted not_taken;  // the same without what the history has
};

// A category may have few items among those that were found for somebody: its popular and its
// newest ones follow, as in Gorse.
void fill_up(const serving::Recommender& recommender, Wanted wanted, size_t most,
             std::vector<AnswerItem>& items) {
  if (!wanted.of_category() || items.size() >= most) return;
  for (const AnswerItem& item : items) wanted.leave_out(item.id);
  const serving::Catalogue catalogue = recommender.catalogue();
  const auto add = [&](std::string_view id) {
    if (items.size() < most && wanted.has(catalogue, id)) items.push_back({.id = std::string(id)});
  };
  for (const auto& one : popular_of(recommender)) add(one.id);
  for (const auto& [time, id] : newest_of(catalogue)) add(id);
}

// What of an answer is wanted, in the rules' order, of at most ruled.k items.
Scores told_of(const serving::Recommender& recommender, const policy::Rules& rules,
               const RulesRequest& ruled, const Asked& asked, std::vector<AnswerItem> items) {
  const serving::Catalogue catalogue = recommender.catalogue();
  std::erase_if(items, [&](const auto& item) { return !asked.wanted.has(catalogue, item.id); });
  fill_up(recommender, asked.not_taken, asked_for(rules, ruled.k), items);
  Scores scores;
  const auto tell = [&](const AnswerItem& item) {
    scores.push_back({item.id, {}, std::isnan(item.score) ? 0.0f : item.score});
  };
  if (rules.empty()) {
    std::ranges::for_each(items, tell);
    return scores;
  }
  const auto outcome =
      apply_rules(rules, ruled, recommender, asked.request.user, asked.request.history, items);
  for (const policy::PlacedItem& placed : outcome.placed) tell(items[placed.index]);
  return scores;
}

// Hands over what the call asks for of it, or answers the problem.
void ask(const Service& service, const Call& call, Asked asked,
         const std::function<void(Scores)>& done) {
  const Cut cut(call);
  const RulesRequest ruled{.k = std::clamp(cut.n + cut.offset, size_t{1}, kMostItems),
                           .context = {},
                           .seed = next_seed()};
  const auto rules = service.rules.now();
  asked.request.may_be_new = true;
  asked.request.k = ruled.k;
  asked.request.deadline = due(service, call.arrived);
  service.recent.add({asked.request, {}});
  // What is not wanted is left out of the answer, so that all must be asked for.
  asked.request.k = asked.wanted.all() ? asked_for(*rules, ruled.k) : kMostItems;
  const auto recommender = service.bundle.now();
  recommender->submit(asked.request,
                      [&service, trace = call.trace, recommender, rules, ruled, cut, asked, done,
                       reply = call.reply](const Answer& answer, const std::exception_ptr& error) {
                        count(service, trace, *recommender, answer, error);
                        if (error) return reply(problem(error));
                        done(cut.of(told_of(*recommender, *rules, ruled, asked, answer.items)));
                      });
}

// What `write-back-type` and `write-back-delay` ask to be written of an answer.
struct WriteBack {
  std::string type;
  int64_t time = 0;
  bool now = false;

  explicit WriteBack(const Call& call)
      : type(query_field(call.request, "write-back-type").value_or("")) {
    if (!type.empty()) type = id_of(Json(type), "write-back-type");
    const std::string delay = query_field(call.request, "write-back-delay").value_or("0");
    const auto seconds = duration_of(delay.empty() ? "0" : delay);
    if (!seconds) refuse("write-back-delay", "must be a length of time like 1h30m");
    time = std::time(nullptr) + *seconds;
    now = *seconds == 0;
    serving::check_time(time, "write-back-delay");
  }
  std::vector<store::Change> changes(const std::string& user, const Scores& scores) const {
    std::vector<store::Change> changes;
    for (const auto& one : scores) {
      changes.emplace_back(store::Event{user, {one.id, time, type}, now});
    }
    return changes;
  }
};

void recommend(Service& service, const Call& call) {
  const std::string& user = call.ids[0];
  const WriteBack back(call);
  const bool scored = call.request.header("X-API-Version") == "2";
  const Wanted wanted(service, call, 1);
  Asked asked{{}, wanted, wanted};
  asked.request.user = user;
  asked.not_taken.leave_out_taken(service, user);
  ask(service, call, std::move(asked),
      [&service, user, back, scored, reply = call.reply](const Scores& scores) {
        Json told = Json::array();
        if (scored) told = scores_json(scores);
        if (!scored) {
          for (const auto& one : scores) told.push_back(one.id);
        }
        if (back.type.empty() || scores.empty()) return reply(json_reply(told));
        service.store.submit(back.changes(user, scores), "",
                             [reply, told](store::Offset, const std::exception_ptr& error) {
                               reply(error ? problem(error) : json_reply(told));
                             });
      });
}

// For the history that the body tells.
void recommend_session(Service& service, const Call& call) {
  const Json json = objects_of(call);
  const int64_t now = std::time(nullptr);
  std::vector<Feedback> rows;
  for (size_t i = 0; i < json.size(); ++i) {
    Json row = json[i];
    for (const char* unused : {"FeedbackType", "UserId"}) {
      if (row.value(unused, Json()).is_null() || row[unused] == "") row[unused] = "session";
    }
    rows.push_back(feedback_of(row, fmt::format("[{}].", i), now));
  }
  std::ranges::stable_sort(rows, {}, &Feedback::time);
  const Wanted wanted(service, call, 0);
  Asked asked{{}, wanted, wanted};
  for (const Feedback& row : rows) {
    asked.request.history.push_back(row.item);
    asked.request.times.push_back(row.time);
    asked.not_taken.leave_out(row.item);
  }
  ask(service, call, std::move(asked),
      [reply = call.reply](const Scores& scores) { reply(json_reply(scores_json(scores))); });
}

constexpr GorseCall kRecommendCalls[] = {
    {"GET", "/api/recommend/{user-id}", Scope::kRead,
     "Recommend (n, offset, category, write-back-type, write-back-delay): ids, and with "
     "X-API-Version: 2 their scores.",
     recommend, "write-back-type"},
    {"GET", "/api/recommend/{user-id}/", Scope::kRead, "The same.", recommend, "write-back-type"},
    {"GET", "/api/recommend/{user-id}/{category}", Scope::kRead, "The same, of a category.",
     recommend, "write-back-type"},
    {"POST", "/api/session/recommend", Scope::kRead, "Recommend for the feedback of the body.",
     recommend_session},
    {"POST", "/api/session/recommend/", Scope::kRead, "The same.", recommend_session},
    {"POST", "/api/session/recommend/{category}", Scope::kRead, "The same, of a category.",
     recommend_session},
};

// A list of items as it is asked for.
void tell(const serving::Recommender& recommender, const Call& call, Scores all,
          const Wanted& wanted) {
  Scores scores = wanted_of(recommender.catalogue(), std::move(all), wanted);
  call.reply(json_reply(scores_json(Cut(call).of(std::move(scores)))));
}

// Those that were told with a time.
void latest(Service& service, const Call& call) {
  const auto recommender = service.bundle.now();
  const serving::Catalogue catalogue = recommender->catalogue();
  const Wanted wanted(service, call, 0);
  auto timed = newest_of(catalogue);
  std::erase_if(timed,
                [&](auto& one) { return one.first == 0 || !wanted.has(catalogue, one.second); });
  const Cut cut(call);
  Json list = Json::array();
  for (size_t i = cut.offset; i < timed.size() && list.size() < cut.n; ++i) {
    list.push_back({{"Id", timed[i].second}, {"Score", timed[i].first}});
  }
  call.reply(json_reply(list));
}

void tell_popular(Service& service, const Call& call, size_t ids_before) {
  const auto recommender = service.bundle.now();
  tell(*recommender, call, popular_of(*recommender), Wanted(service, call, ids_before));
}

void popular(Service& service, const Call& call) { tell_popular(service, call, 0); }

void non_personalized(Service& service, const Call& call) {
  if (call.ids[0] == "latest") {
    const Call same{call.request, {}, call.reply};
    return latest(service, same);
  }
  if (call.ids[0] == "popular") return tell_popular(service, call, 1);
  call.reply(problem(404, "there is no such list", "ask for `popular` or `latest`"));
}

void tell_neighbours(Service& service, const Call& call, const std::string& id, size_t ids_before) {
  const auto recommender = service.bundle.now();
  const serving::Catalogue catalogue = recommender->catalogue();
  Scores all;  // of an item that nobody knows: none, as in Gorse
  if (catalogue.knows(id)) all = catalogue.similar(id, kMostItems);
  tell(*recommender, call, std::move(all), Wanted(service, call, ids_before));
}

void neighbours(Service& service, const Call& call) {
  tell_neighbours(service, call, call.ids[0], 1);
}

void item_to_item(Service& service, const Call& call) {
  if (call.ids[0] == "neighbors") return tell_neighbours(service, call, call.ids[1], 2);
  call.reply(problem(404, "there is no such list of neighbours", "ask for `neighbors`"));
}

void no_users_like_users(Service&, const Call& call) {
  call.reply(
      problem(501, "podium does not compare users with users", "ask for /api/recommend/{user-id}"));
}

void no_single_source(Service&, const Call& call) {
  call.reply(problem(501, "podium does not tell one source's candidates",
                     "ask for /api/recommend/{user-id}"));
}

constexpr GorseCall kListCalls[] = {
    {"GET", "/api/latest", Scope::kRead, "The newest of the items inserted with a Timestamp.",
     latest},
    {"GET", "/api/latest/", Scope::kRead, "The same.", latest},
    {"GET", "/api/latest/{category}", Scope::kRead, "The same, of a category.", latest},
    {"GET", "/api/popular", Scope::kRead, "Most popular before the bundle was trained.", popular},
    {"GET", "/api/popular/", Scope::kRead, "The same.", popular},
    {"GET", "/api/popular/{category}", Scope::kRead, "The same, of a category.", popular},
    {"GET", "/api/non-personalized/{name}", Scope::kRead, "`popular` or `latest`.",
     non_personalized},
    {"GET", "/api/item-to-item/{name}/{item-id}", Scope::kRead, "`neighbors`: items like it.",
     item_to_item},
    {"GET", "/api/item/{item-id}/neighbors", Scope::kRead, "Items like it.", neighbours},
    {"GET", "/api/item/{item-id}/neighbors/", Scope::kRead, "The same.", neighbours},
    {"GET", "/api/item/{item-id}/neighbors/{category}", Scope::kRead, "The same, of a category.",
     neighbours},
    {"GET", "/api/user-to-user/{name}/{user-id}", Scope::kRead, "501.", no_users_like_users},
    {"GET", "/api/user/{user-id}/neighbors", Scope::kRead, "501.", no_users_like_users},
    {"GET", "/api/user/{user-id}/neighbors/", Scope::kRead, "501.", no_users_like_users},
    {"GET", "/api/collaborative-filtering/{user-id}", Scope::kRead, "501.", no_single_source},
    {"GET", "/api/collaborative-filtering/{user-id}/{category}", Scope::kRead, "501.",
     no_single_source},
};

}  // namespace

std::span<const GorseCall> recommend_calls() { return kRecommendCalls; }
std::span<const GorseCall> list_calls() { return kListCalls; }

}  // namespace podium::serve::gorse
