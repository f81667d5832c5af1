// Recommending and re-ranking in podium's own form (serving/request_json.h), one or many at once.
#include <fmt/format.h>

#include <cmath>

#include "podium/base/error.h"
#include "podium/base/mutex.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
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

Json answer_json(const std::string& id, const Answer& answer, const serving::Bundle& bundle,
                 bool stale) {
  Json items = Json::array();
  for (const serving::AnswerItem& item : answer.items) items.push_back(item_json(item, bundle));
  Json out = Json::object();
  if (!id.empty()) out["id"] = id;
  out["items"] = std::move(items);
  if (!answer.explanation.empty()) out["explanation"] = answer.explanation;
  if (stale || !answer.degraded.empty()) out["degraded"] = answer.degraded;
  if (stale) out["degraded"].push_back("stale");
  out["history"] = answer.history;
  if (answer.new_user) out["new_user"] = true;
  if (answer.unknown_history > 0) out["unknown_history"] = answer.unknown_history;
  if (answer.unknown_candidates > 0) out["unknown_candidates"] = answer.unknown_candidates;
  out["took_ms"] = {{"retrieval", answer.took.retrieval},
                    {"ranking", answer.took.ranking},
                    {"policy", answer.took.policy}};
  return out;
}

// A caller that has been told of an offset and asks for at least that: this server applies a change
// before it acknowledges it, so that only an offset of another server, or one to come, is not
// there.
bool is_stale(const Service& service, const HttpRequest& request) {
  check_query(request, {"min_offset"});
  return query_number(request, "min_offset", 0, size_t(INT64_MAX)) >
         size_t(service.store.applied());
}

// Asks one request; `done` gets the answer, or the problem, as JSON.
void ask(const Service& service, std::string_view text, RequestKind kind, bool stale,
         const std::function<void(int status, Json json)>& done) {
  const auto fail = [&](const HttpReply& reply) { done(reply.status, Json::parse(reply.body)); };
  const auto start = serving::Clock::now();
  auto parsed = serving::parse_request(text, 0, kind);
  if (const auto* wrong = std::get_if<serving::RequestProblem>(&parsed)) {
    return fail(problem(400, wrong->message, "see /openapi.json", wrong->field));
  }
  auto& read = std::get<serving::ParsedRequest>(parsed);
  read.request.may_be_new = true;
  if (read.deadline_ms > 0) {
    read.request.deadline = start + std::chrono::milliseconds(read.deadline_ms);
  }
  const auto recommender = service.bundle.now();
  recommender->submit(read.request, [&metrics = service.metrics, recommender, id = read.id, stale,
                                     done](const Answer& answer, const std::exception_ptr& error) {
    if (error) {
      const HttpReply reply = problem(error);
      return done(reply.status, Json::parse(reply.body));
    }
    metrics.recommended(answer);
    done(200, answer_json(id, answer, recommender->bundle(), stale));
  });
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
  const bool stale = is_stale(service, call.request);
  const auto batch = std::make_shared<Batch>();
  {
    const MutexLock lock(batch->mutex);
    batch->answers.resize(requests.size());
    batch->missing = requests.size();
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    ask(service, requests[i].dump(), kind, stale, [batch, i, reply = call.reply](int, Json answer) {
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

bool mentions(const std::string& body, const char* field) {
  return body.find(field) != std::string::npos;
}

void answer(const Service& service, const Call& call, RequestKind kind) {
  const std::string& body = call.request.body;
  if (mentions(body, "\"requests\"")) {
    const Json json = object_of(body);
    if (json.contains("requests")) return ask_all(service, call, json, kind);
  }
  const bool stale = is_stale(service, call.request);
  if (kind == RequestKind::kRerank && mentions(body, "\"documents\"")) {
    const Json json = object_of(body);
    if (json.contains("documents")) {
      return rerank_documents(service, call, json, DocumentForm::kV1, stale);
    }
  }
  ask(service, body, kind, stale, [reply = call.reply](int status, const Json& json) {
    HttpReply told = json_reply(json);
    told.status = status;
    if (status != 200) told.type = kProblemType;
    reply(std::move(told));
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
