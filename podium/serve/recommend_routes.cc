// Recommending and re-ranking in podium's own form (serving/request_json.h), one or many at once.
#include <fmt/format.h>

#include <cmath>

#include "podium/base/error.h"
#include "podium/base/mutex.h"
#include "podium/serve/event_stream.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
#include "podium/serve/recommend_fields.h"
#include "podium/serve/rerank_forms.h"
#include "podium/serve/service.h"
#include "podium/serving/reasons.h"
#include "podium/serving/request_json.h"

namespace podium::serve {
namespace {

using serving::Answer;
using serving::RequestKind;

Json item_json(const serving::AnswerItem& item, const serving::Bundle& bundle) {
  Json told = {{"id", item.id}};
  if (!item.title.empty()) told["title"] = item.title;
  if (!std::isnan(item.score)) told["score"] = item.score;
  told["upstream_rank"] = item.upstream_rank;
  if (auto sources = serving::sources(item, bundle); !sources.empty()) {
    told["sources"] = std::move(sources);
  }
  if (auto reasons = serving::reasons(item.evidence); !reasons.empty()) {
    told["reasons"] = std::move(reasons);
  }
  if (!item.known) told["known"] = false;
  return told;
}

void add_rules(const policy::PlacedItem& placed, Json& item) {
  if (!placed.reasons.empty()) {
    Json reasons = Json::array();
    for (const policy::Reason& reason : placed.reasons) {
      reasons.push_back(fmt::format("{}: {}", reason.rule, reason.text));
    }
    item["rules"] = std::move(reasons);
  }
  if (!placed.label.empty()) item["label"] = placed.label;
  if (placed.propensity < 1) item["propensity"] = placed.propensity;
}

void add_outcome(const policy::Outcome& outcome, const Answer& answer, bool debug, Json& out) {
  for (const policy::Unmet& unmet : outcome.unmet) {
    out["unmet"].push_back({{"rule", unmet.rule}, {"why", unmet.why}});
  }
  if (!debug) return;
  out["removed"] = Json::array();
  for (const policy::RemovedItem& removed : outcome.removed) {
    out["removed"].push_back({{"item", answer.items[removed.index].id},
                              {"rule", removed.rule},
                              {"reason", removed.reason}});
  }
}

// What an answer is told with beside itself.
struct Telling {
  std::string id;
  bool stale = false, debug = false;
};

// outcome: of the rules on its items; none: there are none.
Json answer_json(const Telling& telling, const Answer& answer, const serving::Bundle& bundle,
                 const policy::Outcome* outcome) {
  Json items = Json::array();
  if (outcome == nullptr) {
    for (const serving::AnswerItem& item : answer.items) items.push_back(item_json(item, bundle));
  } else {
    for (const policy::PlacedItem& placed : outcome->placed) {
      items.push_back(item_json(answer.items[placed.index], bundle));
      add_rules(placed, items.back());
    }
  }
  Json out = Json::object();
  if (!telling.id.empty()) out["id"] = telling.id;
  out["items"] = std::move(items);
  if (!answer.explanation.empty()) out["explanation"] = answer.explanation;
  if (telling.stale || !answer.degraded.empty()) out["degraded"] = answer.degraded;
  if (telling.stale) out["degraded"].push_back("stale");
  out["history"] = answer.history;
  if (answer.new_user) out["new_user"] = true;
  if (answer.unknown_history > 0) out["unknown_history"] = answer.unknown_history;
  if (answer.unknown_candidates > 0) out["unknown_candidates"] = answer.unknown_candidates;
  if (outcome != nullptr) add_outcome(*outcome, answer, telling.debug, out);
  out["took_ms"] = {{"retrieval", answer.took.retrieval},
                    {"ranking", answer.took.ranking},
                    {"policy", answer.took.policy}};
  return out;
}

using Told = std::function<void(int status, Json json)>;

void tell_problem(const HttpReply& reply, const Told& done) {
  done(reply.status, Json::parse(reply.body));
}

struct Asking {
  RequestKind kind;
  bool stale;  // an offset was asked for that is not there
  serving::Clock::time_point arrived;
  std::shared_ptr<RequestTrace> trace;  // its spans; null: it is not traced
};

// Asks one request; `done` gets the answer, or the problem, as JSON.
void ask(const Service& service, Json json, const Asking& asking, const Told& done,
         const serving::TraceTold& said = {}) try {
  Telling telling{.id = {}, .stale = asking.stale};
  const bool recommend = asking.kind == RequestKind::kRecommend;
  RulesRequest ruled;
  if (recommend && json.is_object()) {
    ruled = take_rules_request(json);
    telling.debug = take_flag(json, "debug", false);
  }
  auto parsed = serving::request_of(json, 0, asking.kind);
  if (const auto* wrong = std::get_if<serving::RequestProblem>(&parsed)) {
    return tell_problem(problem(400, wrong->message, "see /openapi.json", wrong->field), done);
  }
  auto& read = std::get<serving::ParsedRequest>(parsed);
  serving::Request& request = read.request;
  telling.id = read.id;
  request.may_be_new = true;
  request.deadline = due(service, asking.arrived, read.deadline_ms);
  ruled.k = request.k;
  const auto rules = service.rules.now();
  if (recommend) {
    using Clock = serving::Clock;
    const bool timed = request.deadline != Clock::time_point::max();
    service.recent.add({request, ruled.context,
                        timed ? request.deadline - asking.arrived : Clock::duration::max()});
    request.k = asked_for(*rules, ruled.k);
  }
  const auto recommender = service.bundle.now();
  const bool by_rules = recommend && !rules->empty();
  recommender->submit(
      request,
      [&service, spans = asking.trace, recommender, rules, by_rules, ruled, telling,
       user = request.user, history = request.history,
       done](const Answer& answer, const std::exception_ptr& error) {
        count(service, spans, *recommender, answer, error);
        if (error) return tell_problem(problem(error), done);
        const serving::Bundle& bundle = recommender->bundle();
        if (!by_rules) return done(200, answer_json(telling, answer, bundle, nullptr));
        const auto outcome = apply_rules(*rules, ruled, *recommender, user, history, answer.items);
        done(200, answer_json(telling, answer, bundle, &outcome));
      },
      said);
} catch (...) {
  tell_problem(problem(std::current_exception()), done);
}

// Answers come in any order, and are told in that of the requests.
struct Batch {
  Mutex mutex;
  std::vector<Json> answers PODIUM_GUARDED_BY(mutex);
  size_t missing PODIUM_GUARDED_BY(mutex) = 0;
};

void ask_all(const Service& service, const Call& call, const Json& json, RequestKind kind) {
  constexpr std::string_view kFields[] = {"requests"};
  check_fields(json, kFields);
  const Json& requests = list_field(json, "requests", kMostBatch);
  const Asking asking{kind, is_stale(service, call.request), call.arrived, call.trace};
  const auto batch = std::make_shared<Batch>();
  {
    const MutexLock lock(batch->mutex);
    batch->answers.resize(requests.size());
    batch->missing = requests.size();
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    ask(service, requests[i], asking, [batch, i, reply = call.reply](int, Json answer) {
      std::vector<Json> all;
      {
        const MutexLock lock(batch->mutex);
        batch->answers[i] = std::move(answer);
        if (--batch->missing > 0) return;
        all.swap(batch->answers);
      }
      reply(json_reply({{"answers", std::move(all)}}));
    });
  }
}

// Unless the request says otherwise, the policy that has a trace answers.
void tell_events(const Service& service, const Call& call, Json json, const Asking& asking) {
  if (!json.contains("explain")) json["explain"] = true;
  const auto events = std::make_shared<TraceEvents>(call.reply);
  ask(
      service, std::move(json), asking,
      [events](int status, const Json& told) { events->answer(status, told); },
      [events](std::string_view text) { return events->trace(text); });
}

void answer(const Service& service, const Call& call, RequestKind kind) {
  Json json = object_of(call.request.body);
  const bool events = wants_events(call.request);
  if (json.contains("requests")) {
    if (events) refuse("requests", "come one at a time where the answer is text/event-stream");
    return ask_all(service, call, json, kind);
  }
  const bool stale = is_stale(service, call.request);
  if (kind == RequestKind::kRerank && json.contains("documents")) {
    return rerank_documents(service, call, json, DocumentForm::kV1, stale);
  }
  const Asking asking{kind, stale, call.arrived, call.trace};
  if (events) return tell_events(service, call, std::move(json), asking);
  ask(service, std::move(json), asking, [reply = call.reply](int status, const Json& told) {
    HttpReply answer = json_reply(told);
    answer.status = status;
    if (status != 200) answer.type = kProblemType;
    reply(std::move(answer));
  });
}

}  // namespace

void add_recommend_routes(Router& router, Service& service) {
  router.add({"POST", "/v1/recommend", Scope::kRead,
              [&service](const Call& call) { answer(service, call, RequestKind::kRecommend); }});
  router.add({"POST", "/v1/rerank", Scope::kRead,
              [&service](const Call& call) { answer(service, call, RequestKind::kRerank); }});
}

}  // namespace podium::serve
