// What the API's calls work with, and the lists of calls by what they are about.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>

#include "podium/base/json.h"
#include "podium/serve/active_bundle.h"
#include "podium/serve/active_rules.h"
#include "podium/serve/bundle_trials.h"
#include "podium/serve/metrics.h"
#include "podium/serve/recent_requests.h"
#include "podium/serve/router.h"
#include "podium/serving/request.h"
#include "podium/store/store.h"

namespace podium::serve {

inline constexpr size_t kMostEvents = 10000;  // of a request
inline constexpr size_t kMostBatch = 100;     // requests, or items, of a request

struct Service {
  ActiveBundle& bundle;
  ActiveRules& rules;
  store::Store& store;
  Metrics& metrics;
  RecentRequests& recent;
  BundleTrials& trials;
  serving::Clock::duration deadline;  // of every answer, after its request came
};

// What a bundle's recommender answered a request, or did not: for the metrics, for the bundle's own
// place, and for the request's trace, where it has one.
void count(const Service& service, const std::shared_ptr<RequestTrace>& trace,
           const serving::Recommender& by, const serving::Answer& answer,
           const std::exception_ptr& error);

// When the answer to what came then is due at the latest. own_ms: the request's own deadline; 0: it
// has none.
inline serving::Clock::time_point due(const Service& service, serving::Clock::time_point arrived,
                                      int own_ms = 0) {
  auto most = service.deadline;
  if (own_ms > 0)
    most = std::min<serving::Clock::duration>(most, std::chrono::milliseconds(own_ms));
  using Moment = serving::Clock::time_point;
  return most < Moment::max() - arrived ? arrived + most : Moment::max();
}

// The actions keep the service by reference: it must outlive the router.
void add_recommend_routes(Router& router, Service& service);  // recommend, rerank
void add_explain_routes(Router& router, Service& service);
void add_rerank_forms(Router& router, Service& service);  // Cohere's, Jina's and TEI's
void add_event_routes(Router& router, Service& service);  // events, users
void add_item_routes(Router& router, Service& service);   // items, the map of them
void add_bundle_routes(Router& router, Service& service);
void add_gorse_routes(Router& router, Service& service);  // gorse.h
HttpReply gorse_health(bool ready, int status);
void add_rules_routes(Router& router, Service& service);
void add_console_routes(Router& router);

std::string new_request_id();  // none like it was told before

// One line, and text that is no UTF-8 replaced.
std::string dump(const Json& value);

inline HttpReply json_reply(const Json& value) { return {.body = dump(value)}; }

}  // namespace podium::serve
