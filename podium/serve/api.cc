#include "podium/serve/api.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include "podium/base/error.h"
#include "podium/serve/admission.h"
#include "podium/serve/content_coding.h"
#include "podium/serve/openapi.h"
#include "podium/serve/problem.h"
#include "podium/serve/reply_stream.h"

namespace podium::serve {

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string new_request_id() {
  static const int64_t start = std::time(nullptr);
  static std::atomic<uint64_t> count{0};
  return fmt::format("{:x}-{:x}", start, ++count);
}

void count(const Service& service, const std::shared_ptr<RequestTrace>& trace,
           const serving::Recommender& by, const serving::Answer& answer,
           const std::exception_ptr& error) {
  if (!error) service.metrics.recommended(answer);
  if (!error && trace) trace->add(answer);
  service.bundle.answered(by, answer, error);
}

namespace {

// The caller's, where it is one that can be written into logs and headers.
std::string request_id(const HttpRequest& request) {
  const std::string_view told = request.header("X-Request-ID");
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  };
  if (!told.empty() && told.size() <= 100 && std::ranges::all_of(told, plain)) {
    return std::string(told);
  }
  return new_request_id();
}

// "[::1]:8080" to "[::1]".
std::string_view without_port(std::string_view host) {
  const size_t bracket = host.find(']');
  const size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return host.substr(0, colon);
}

// Without keys whoever reaches the server may do all, and a page that somebody on this machine
// looks at in a browser reaches it. Browsers tell whose page asks; and a name that an attacker
// points at this machine is not its name.
std::optional<HttpReply> foreign_page(const HttpRequest& request) {
  const std::string_view host = request.header("Host"), origin = request.header("Origin");
  const std::string_view name = without_port(host);
  const bool own = host.empty() || name == "127.0.0.1" || name == "localhost" || name == "[::1]";
  const size_t scheme = origin.find("://");
  const bool same =
      origin.empty() || (scheme != std::string_view::npos && origin.substr(scheme + 3) == host);
  if (own && same) return std::nullopt;
  return problem(403, "a page of another site, or another name of this server, asks",
                 "give the server keys (`podium keys add`, --keys) to be asked under other names");
}

}  // namespace

// The work of requests, on threads of its own: finding candidates takes a millisecond or two, which
// would hold up the server's thread.
class Api::Impl {
 public:
  Impl(ActiveBundle& bundle, ActiveRules& rules, store::Store& store, const ApiOptions& options)
      : metrics(options.version),
        trials(bundle, store, recent_),
        service{bundle, rules, store, metrics, recent_, trials, options.deadline},
        options_(options),
        admission_({.most_running = options.most_running}),
        pool_(size_t(std::max(1, options.threads))) {
    if (!options.keys.empty()) gate_.emplace(options.keys);
    add_recommend_routes(router, service);
    add_explain_routes(router, service);
    add_rerank_forms(router, service);
    add_event_routes(router, service);
    add_item_routes(router, service);
    add_bundle_routes(router, service);
    add_gorse_routes(router, service);
    add_rules_routes(router, service);
    add_console_routes(router);
  }
  ~Impl() {
    trials.stop();
    while (waiting_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    pool_.join();
  }

  void handle(HttpRequest request, const Reply& reply) {
    const auto began = serving::Clock::now();
    const std::string id = request_id(request);
    const auto trace = options_.tracer ? options_.tracer->begin(request) : nullptr;
    const auto tell = [this, began, id, trace, reply](const Route* route, HttpReply answer) {
      answer.headers.emplace_back("X-Request-ID", id);
      if (trace && route && !route->light) {
        options_.tracer->end(trace->end(route->name(), id, answer.status));
      }
      metrics.answered(route ? route->name() : "none", answer.status, serving::Clock::now() - began,
                       !route || route->light);
      reply(std::move(answer));
    };
    try {
      auto found = router.find(request);
      if (auto* refused = std::get_if<HttpReply>(&found)) return tell(nullptr, std::move(*refused));
      auto& at = std::get<Router::Found>(found);
      const Route* const route = at.route;
      if (!gate_ && route->scope != Scope::kOpen) {
        if (auto refused = foreign_page(request)) return tell(route, std::move(*refused));
      } else if (gate_) {
        auto refused = gate_->refusal(request, route->scope, began);
        if (!refused && !route->writes_with.empty() && query_field(request, route->writes_with)) {
          refused = gate_->refusal(request, Scope::kWrite, began);
        }
        if (refused) return tell(route, std::move(*refused));
      }
      Call call{std::move(request), std::move(at.ids), {}, trace, began};
      if (route->light) {
        call.reply = [tell, route](HttpReply answer) { tell(route, std::move(answer)); };
        return route->answer(std::move(call));
      }
      admit(*route, std::move(call),
            [tell, route](HttpReply answer) { tell(route, std::move(answer)); });
    } catch (...) {
      tell(nullptr, problem(std::current_exception()));
    }
  }

  Metrics metrics;
  BundleTrials trials;
  Service service;
  Router router;

  void replace_keys(std::vector<Key> keys) {
    PODIUM_CHECK(gate_);
    if (keys.empty()) throw Error("the file holds no keys", "add one: `podium keys add`");
    gate_->replace(std::move(keys));
  }

  const Tracer* tracer() const { return options_.tracer; }
  const std::string& version() const { return options_.version; }
  size_t waiting() const { return waiting_; }
  size_t most_waiting() const { return options_.most_waiting; }

 private:
  // What is asked waits for its turn; what is told is written down in groups, the larger the more
  // are under way, and takes little time.
  void admit(const Route& route, Call call, const Reply& tell) {
    const auto too_many = [tell] { tell(problem(429, "too many requests are under way")); };
    if (waiting_.fetch_add(1) >= options_.most_waiting) {
      --waiting_;
      return too_many();
    }
    const bool in_turn = route.scope == Scope::kRead;
    if (!in_turn) {
      call.reply = [this, tell](HttpReply answer) {
        tell(std::move(answer));
        --waiting_;
      };
      return run(route, std::move(call));
    }
    const auto shared = std::make_shared<Call>(std::move(call));
    admission_.enter([this, &route, shared, tell, too_many](bool taken) {
      if (!taken) {
        too_many();
        --waiting_;
        return;
      }
      shared->reply = [this, tell, began = serving::Clock::now()](HttpReply answer) {
        const auto stream = answer.stream;
        const auto over = [this, began] {
          admission_.leave(serving::Clock::now() - began);
          --waiting_;
        };
        tell(std::move(answer));
        stream ? stream->when_ended(over) : over();
      };
      run(route, std::move(*shared));
    });
  }

  void run(const Route& route, Call call) {
    boost::asio::post(pool_, [&route, call = std::move(call)]() mutable {
      const Reply reply = call.reply;
      try {
        if (auto refused = decode(call.request, kMostBodyBytes)) return reply(std::move(*refused));
        route.answer(std::move(call));
      } catch (...) {
        reply(problem(std::current_exception()));
      }
    });
  }

  ApiOptions options_;
  RecentRequests recent_{std::chrono::hours(24 * options_.keep_days)};
  std::optional<Gate> gate_;
  std::atomic<size_t> waiting_{0};
  Admission admission_;
  boost::asio::thread_pool pool_;
};

Api::Api(ActiveBundle& bundle, ActiveRules& rules, store::Store& store, const ApiOptions& options)
    : impl_(std::make_unique<Impl>(bundle, rules, store, options)) {
  add_status_routes(impl_->router);
}
Api::~Api() = default;

void Api::stop_being_ready() {
  ready_ = false;
  impl_->trials.stop();
}

void Api::replace_keys(std::vector<Key> keys) { impl_->replace_keys(std::move(keys)); }

const Router& Api::router() const { return impl_->router; }

void Api::handle(HttpRequest request, const Reply& reply) {
  impl_->handle(std::move(request), reply);
}

void Api::add_status_routes(Router& router) {
  const auto light = [&](const char* path, Scope scope, auto answer) {
    router.add({"GET", path, scope, [answer](const Call& call) { call.reply(answer()); }, true});
  };
  light("/healthz", Scope::kOpen, [] { return HttpReply{.body = R"({"ok":true})"}; });
  light("/readyz", Scope::kOpen, [this] {
    return ready_ ? HttpReply{.body = R"({"ready":true})"} : problem(503, "it is ending");
  });
  light("/api/health/live", Scope::kOpen, [this] { return gorse_health(ready_, 200); });
  light("/api/health/ready", Scope::kOpen,
        [this] { return gorse_health(ready_, ready_ ? 200 : 503); });
  light("/openapi.json", Scope::kOpen, [] { return HttpReply{.body = std::string(kOpenApi)}; });
  light("/metrics", Scope::kRead, [this] {
    const Service& service = impl_->service;
    const Metrics::Gauges gauges{.waiting = impl_->waiting(),
                                 .log_offset = service.store.applied(),
                                 .added_items = service.bundle.now()->added_items(),
                                 .roll_backs = service.bundle.roll_backs(),
                                 .spans_sent = impl_->tracer() ? impl_->tracer()->sent() : 0,
                                 .spans_dropped = impl_->tracer() ? impl_->tracer()->dropped() : 0};
    return HttpReply{.body = service.metrics.prometheus(gauges),
                     .type = "text/plain; version=0.0.4"};
  });
  const int64_t started = std::time(nullptr);
  light("/v1/status", Scope::kRead, [this, started] {
    const auto recommender = impl_->service.bundle.now();
    const serving::Bundle& bundle = recommender->bundle();
    Json out = {{"podium", impl_->version()},
                {"started", started},
                {"now", std::time(nullptr)},
                {"ready", ready_.load()},
                {"bundle",
                 {{"dir", bundle.dir().string()},
                  {"dataset", bundle.dataset().name()},
                  {"items", bundle.dataset().items()},
                  {"users", bundle.dataset().users()},
                  {"slate_size", bundle.slate_size()},
                  {"added_items", recommender->added_items()}}},
                {"store", {{"offset", impl_->service.store.applied()}}},
                {"waiting", impl_->waiting()},
                {"most_waiting", impl_->most_waiting()}};
    const Json recent = impl_->service.metrics.recent();
    for (const auto& [name, value] : recent.items()) out[name] = value;
    return json_reply(out);
  });
}

}  // namespace podium::serve
