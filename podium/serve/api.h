// The HTTP API over a recommender and its store: routes, JSON in and out.
//
//   POST   /v1/recommend    {"user": "u1", "k": 10, ...}                    serving/request_json.h
//   POST   /v1/rerank       {"user" or "history", "candidates": [...], ...} the same
//   POST   /v1/events       {"events": [{"user", "item", "time"?}, ...]}    at most kMostEvents
//   PUT    /v1/items/{id}   {"title"?, "brand"?, "description"?, "categories"?, "price"?}
//   DELETE /v1/items/{id}
//   GET    /v1/users/{id}   the live history
//   DELETE /v1/users/{id}   erased everywhere
//   GET    /healthz, /readyz
//
// Ids in paths are percent-encoded. Events are acknowledged when they are durable, with the log's
// offset; an Idempotency-Key header lets them be sent again. Errors are problem details (RFC 9457).
#pragma once

#include <atomic>
#include <memory>

#include "podium/serve/http.h"
#include "podium/serving/recommender.h"
#include "podium/store/store.h"

namespace podium::serve {

inline constexpr size_t kMostEvents = 10000;  // of a request

struct ApiOptions {
  int threads = 1;            // that find and rank candidates
  size_t most_waiting = 128;  // requests under way above which others are told to come back: 429
};

class Api {
 public:
  // Both must outlive it; the recommender's state is the store.
  Api(serving::Recommender& recommender, store::Store& store, const ApiOptions& options);
  ~Api();  // waits for the requests under way

  // A Handler.
  void handle(const HttpRequest& request, const Reply& reply);
  // From now on /readyz says no, so that a balancer sends nobody here.
  void stop_being_ready() { ready_ = false; }

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  std::atomic<bool> ready_{true};
};

}  // namespace podium::serve
