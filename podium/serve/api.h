// The HTTP API over a bundle and a store: who may call, how many at once, what is counted. The
// calls themselves are in *_routes.cc; openapi.json describes all of them.
//
// Errors are problem details (RFC 9457). Every reply has an X-Request-ID: the caller's, or a new
// one.
#pragma once

#include <atomic>
#include <memory>

#include "podium/serve/http.h"
#include "podium/serve/keys.h"
#include "podium/serve/service.h"

namespace podium::serve {

struct ApiOptions {
  int threads = 1;            // that find and rank candidates
  size_t most_running = 3;    // requests that are worked on at once; the others wait (admission.h)
  size_t most_waiting = 128;  // requests under way above which others are told to come back: 429
  // Of every answer, after its request came: a stage that is late then goes without (Recommender).
  serving::Clock::duration deadline = serving::Clock::duration::max();
  std::string version = {};    // of podium, as it is told
  std::vector<Key> keys = {};  // none: everybody who reaches the server may call everything
};

class Api {
 public:
  // All must outlive it; the bundle's state is the store.
  Api(ActiveBundle& bundle, ActiveRules& rules, store::Store& store, const ApiOptions& options);
  ~Api();  // waits for the requests under way

  // A Handler.
  void handle(HttpRequest request, const Reply& reply);
  // From now on /readyz says no, so that a balancer sends nobody here.
  void stop_being_ready() { ready_ = false; }

  const Router& router() const;

 private:
  class Impl;
  void add_status_routes(Router& router);

  std::unique_ptr<Impl> impl_;
  std::atomic<bool> ready_{true};
};

}  // namespace podium::serve
