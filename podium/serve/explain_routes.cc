// Why items are shown: reasons that the data prove (serving/explain.h).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <future>
#include <optional>

#include "podium/base/error.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
#include "podium/serve/recommend_fields.h"
#include "podium/serve/service.h"
#include "podium/serving/explain.h"
#include "podium/serving/request_json.h"

namespace podium::serve {
namespace {

using serving::Answer;

constexpr size_t kMostExplained = rerank::kMaxCandidates;  // items of a request
constexpr size_t kMostReasons = 10;                        // of an item

// A request as it was read, under way.
struct Explaining {
  std::string id;
  serving::Request request;
  std::vector<std::string> items;  // none: of a recommendation
  RulesRequest ruled;
  int deadline_ms = 0;  // of the recommendation; 0: none
  size_t reasons = 3;
  bool debug = false;
  std::shared_ptr<const serving::Recommender> recommender;
  std::future<Answer> answer;  // not valid: it takes none to explain the items
};

// Taken out of the object.
std::vector<std::string> take_items(Json& json) {
  const auto found = json.find("items");
  if (found == json.end()) return {};
  if (!found->is_array() || found->empty() || found->size() > kMostExplained) {
    refuse("items", fmt::format("must be an array of 1 to {}", kMostExplained));
  }
  std::vector<std::string> items;
  for (size_t i = 0; i < found->size(); ++i) {
    const std::string field = fmt::format("items[{}]", i);
    items.push_back(id_of((*found)[i], field));
    if (std::ranges::count(items, items.back()) > 1) refuse(field, "appears twice");
  }
  if (json.contains("k")) refuse("k", "is of a recommendation: give k or items");
  json.erase(found);
  return items;
}

Explaining read(Json json) {
  if (!json.is_object()) refuse("", "must be a JSON object");
  if (json.contains("explain")) refuse("explain", "is an unknown field, did you mean trace?");
  Explaining asked;
  asked.ruled = take_rules_request(json);
  asked.debug = take_flag(json, "debug", false);
  const bool trace = take_flag(json, "trace", true);
  asked.reasons = count_field(json, "reasons", asked.reasons, kMostReasons);
  json.erase("reasons");
  asked.items = take_items(json);
  auto parsed = serving::request_of(json, 0, serving::RequestKind::kRecommend);
  if (const auto* wrong = std::get_if<serving::RequestProblem>(&parsed)) {
    throw Error(wrong->message, "see /openapi.json", wrong->field);
  }
  auto& read = std::get<serving::ParsedRequest>(parsed);
  if (read.request.k > kMostExplained) refuse("k", fmt::format("must be 1 to {}", kMostExplained));
  asked.id = read.id;
  asked.request = std::move(read.request);
  asked.request.explain = trace;
  asked.request.may_be_new = true;
  asked.deadline_ms = read.deadline_ms;
  return asked;
}

// The items that are given are ordered only for the trace that comes of it.
void submit(const Service& service, serving::Clock::time_point arrived, Explaining& asked) {
  asked.recommender = service.bundle.now();
  serving::Request request = asked.request;
  request.deadline = due(service, arrived, asked.deadline_ms);
  if (asked.items.empty()) {
    asked.ruled.k = request.k;
    request.k = asked_for(*service.rules.now(), request.k);
  } else if (request.explain && asked.items.size() >= rerank::kMinCandidates) {
    request.candidates = asked.items;
  } else {
    return;
  }
  asked.answer = asked.recommender->submit(request);
}

// What a recommendation would show, as rules leave it; or the items that were given.
std::vector<std::string> shown(const Service& service, const Explaining& asked,
                               const Answer& answer) {
  if (!asked.items.empty()) return asked.items;
  std::vector<std::string> ids;
  const auto rules = service.rules.now();
  if (rules->empty()) {
    for (const auto& item : answer.items) ids.push_back(item.id);
    return ids;
  }
  const auto outcome = apply_rules(*rules, asked.ruled, *asked.recommender, asked.request.user,
                                   asked.request.history, answer.items);
  for (const auto& placed : outcome.placed) ids.push_back(answer.items[placed.index].id);
  return ids;
}

Json claim_json(const serving::Claim& claim, const serving::Catalogue& catalogue) {
  const auto title = [&](std::string_view id) { return catalogue.title(id); };
  Json told = {{"kind", serving::claim_name(claim.kind)}, {"item", claim.item}};
  if (!claim.other.empty()) told["other"] = claim.other;
  if (claim.count > 0) told["count"] = claim.count;
  if (!claim.category.empty()) told["category"] = claim.category;
  if (!claim.brand.empty()) told["brand"] = claim.brand;
  if (!claim.words.empty()) told["words"] = claim.words;
  if (claim.date) told["date"] = serving::day_text(*claim.date);
  if (!std::isnan(claim.price)) {
    told["price"] = claim.price;
    told["low"] = claim.low;
    told["high"] = claim.high;
  }
  told["text"] = serving::sentence(claim, title);
  return told;
}

// What of it was dropped: a claim, or words of the trace that are none.
Json dropped_json(const serving::Dropped& dropped, const serving::Catalogue& catalogue) {
  if (!dropped.said.empty()) {
    return {{"item", dropped.claim.item}, {"said", dropped.said}, {"why", dropped.why}};
  }
  Json told = claim_json(dropped.claim, catalogue);
  told["why"] = dropped.why;
  return told;
}

Json evidence_json(const rerank::Evidence& evidence) {
  Json told = Json::object();
  for (size_t kind = 0; kind < evidence.size(); ++kind) {
    if (evidence[kind] == 0) continue;
    told[std::string(rerank::evidence_name(rerank::EvidenceKind(kind)))] = evidence[kind];
  }
  return told;
}

Json answer_json(const Explaining& asked, const Answer& answer, const serving::Reasons& reasons,
                 const std::vector<serving::Explained>& items) {
  const serving::Catalogue catalogue = asked.recommender->catalogue();
  Json list = Json::array();
  for (size_t i = 0; i < items.size(); ++i) {
    Json item = {{"id", items[i].id}, {"reasons", Json::array()}};
    if (auto title = catalogue.title(items[i].id); !title.empty()) item["title"] = title;
    if (!catalogue.knows(items[i].id)) item["known"] = false;
    for (const serving::Reason& reason : reasons.of[i]) {
      item["reasons"].push_back(claim_json(reason.claim, catalogue));
      item["reasons"].back()["from"] = reason.of_trace ? "trace" : "evidence";
    }
    const auto found =
        std::ranges::find(answer.items, items[i].id, [](const auto& one) { return one.id; });
    if (asked.debug && found != answer.items.end() && found->known) {
      item["evidence"] = evidence_json(found->evidence);
    }
    list.push_back(std::move(item));
  }
  Json out = {{"items", std::move(list)}, {"dropped", reasons.dropped.size()}};
  if (!asked.id.empty()) out["id"] = asked.id;
  if (!answer.explanation.empty()) out["explanation"] = answer.explanation;
  if (!answer.degraded.empty()) out["degraded"] = answer.degraded;
  if (!asked.debug) return out;
  out["dropped_claims"] = Json::array();
  for (const serving::Dropped& dropped : reasons.dropped) {
    out["dropped_claims"].push_back(dropped_json(dropped, catalogue));
  }
  return out;
}

// Waits for the recommendation, on a thread of the API's.
Json explained(const Service& service, Explaining& asked, bool stale) {
  Answer answer;
  if (asked.answer.valid()) {
    answer = asked.answer.get();
    service.metrics.recommended(answer);
  }
  std::vector<serving::Explained> items;
  for (std::string& id : shown(service, asked, answer)) items.push_back({.id = std::move(id)});
  for (const serving::Cited& cited : answer.cited) {
    const auto item = std::ranges::find(items, cited.item, &serving::Explained::id);
    if (item != items.end()) item->cited = cited.kinds;
  }
  const serving::Bundle& bundle = asked.recommender->bundle();
  const serving::ClaimData data{bundle.dataset(), bundle.sids().table, bundle.timed(),
                                asked.recommender->state()};
  const serving::Subject subject{asked.request.user, asked.request.history, asked.request.times};
  const auto reasons =
      serving::explain(data, bundle.claim_index(), subject, items,
                       {.most = asked.reasons,
                        .today = serving::day_of(asked.request.time.value_or(std::time(nullptr)))});
  size_t told = 0;
  for (const auto& of_item : reasons.of) told += of_item.size();
  service.metrics.explained(told, reasons.dropped.size());
  Json out = answer_json(asked, answer, reasons, items);
  if (stale) out["degraded"].push_back("stale");
  return out;
}

// Policies order all of them at once, then one after another is explained.
Json explain_all(const Service& service, const Json& json, bool stale,
                 serving::Clock::time_point arrived) {
  constexpr std::string_view kFields[] = {"requests"};
  check_fields(json, kFields);
  const Json& requests = list_field(json, "requests", kMostBatch);
  std::vector<std::optional<Explaining>> asked(requests.size());
  std::vector<Json> answers(requests.size());
  const auto attempt = [&](size_t i, auto step) {
    try {
      step();
    } catch (...) {
      asked[i].reset();
      answers[i] = Json::parse(problem(std::current_exception()).body);
    }
  };
  for (size_t i = 0; i < requests.size(); ++i) {
    attempt(i, [&] {
      asked[i] = read(requests[i]);
      submit(service, arrived, *asked[i]);
    });
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    if (!asked[i]) continue;
    attempt(i, [&] { answers[i] = explained(service, *asked[i], stale); });
  }
  return {{"answers", std::move(answers)}};
}

}  // namespace

void add_explain_routes(Router& router, Service& service) {
  router.add({"POST", "/v1/explain", Scope::kRead, [&service](const Call& call) {
                const Json json = object_of(call.request.body);
                const bool stale = is_stale(service, call.request);
                if (json.contains("requests")) {
                  return call.reply(json_reply(explain_all(service, json, stale, call.arrived)));
                }
                Explaining asked = read(json);
                submit(service, call.arrived, asked);
                call.reply(json_reply(explained(service, asked, stale)));
              }});
}

}  // namespace podium::serve
