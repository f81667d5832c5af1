#include "podium/serve/api.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/serve/api_json.h"
#include "podium/serve/problem.h"
#include "podium/serving/request_json.h"

namespace podium::serve {

using serving::Answer;
using serving::RequestKind;

// The work of requests, on threads of its own: finding candidates takes a millisecond or two, which
// would hold up the server's thread.
class Api::Impl {
 public:
  Impl(serving::Recommender& recommender, store::Store& store, const ApiOptions& options)
      : recommender_(recommender),
        store_(store),
        options_(options),
        pool_(size_t(std::max(1, options.threads))) {}
  ~Impl() {
    pool_.join();
    while (waiting_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  bool take() {
    if (waiting_.fetch_add(1) < options_.most_waiting) return true;
    --waiting_;
    return false;
  }

  // Runs the work on the pool; what it throws is the reply.
  template <class Work>
  void run(Reply reply, Work work) {
    auto counted = [this, reply = std::move(reply)](HttpReply answer) {
      reply(std::move(answer));
      --waiting_;
    };
    boost::asio::post(pool_, [counted, work = std::move(work)]() mutable {
      try {
        work(counted);
      } catch (...) {
        counted(problem(std::current_exception()));
      }
    });
  }

  void order(const HttpRequest& request, RequestKind kind, Reply reply) {
    run(std::move(reply), [this, kind, body = request.body](const Reply& done) {
      const auto start = serving::Clock::now();
      auto parsed = serving::parse_request(body, 0, kind);
      if (const auto* wrong = std::get_if<serving::RequestProblem>(&parsed)) {
        return done(problem(400, wrong->message, "", wrong->field));
      }
      auto& read = std::get<serving::ParsedRequest>(parsed);
      if (read.deadline_ms > 0) {
        read.request.deadline = start + std::chrono::milliseconds(read.deadline_ms);
      }
      recommender_.submit(read.request, [this, id = read.id, done](
                                            const Answer& answer, const std::exception_ptr& error) {
        if (error) return done(problem(error));
        done({.body = recommend_json(id, answer, recommender_.bundle())});
      });
    });
  }

  void add_events(const HttpRequest& request, Reply reply) {
    std::string key(request.header("Idempotency-Key"));
    run(std::move(reply), [this, key, body = request.body](const Reply& done) {
      auto changes = events_of(body, kMostEvents, std::time(nullptr));
      const size_t count = changes.size();
      store_.submit(std::move(changes), key,
                    [done, count](store::Offset offset, const std::exception_ptr& error) {
                      if (error) return done(problem(error));
                      done({.body = Json({{"offset", offset}, {"events", count}}).dump()});
                    });
    });
  }

  void put_item(std::string id, const HttpRequest& request, Reply reply) {
    run(std::move(reply), [this, id = std::move(id), body = request.body](const Reply& done) {
      const serving::LiveItem item = item_of(id, body);
      recommender_.put_items({&item, 1});
      done({.body = Json({{"id", id}, {"offset", store_.applied()}}).dump()});
    });
  }

  void remove_item(std::string id, Reply reply) {
    run(std::move(reply), [this, id = std::move(id)](const Reply& done) {
      if (recommender_.remove_item(id)) return done({.status = 204, .type = {}});
      done(problem(404, "no item of this id came after training"));
    });
  }

  void tell_user(std::string user, Reply reply) {
    run(std::move(reply), [this, user = std::move(user)](const Reply& done) {
      done({.body = user_json(user, store_.history_of(user))});
    });
  }

  void erase_user(std::string user, Reply reply) {
    run(std::move(reply), [this, user = std::move(user)](const Reply& done) {
      store_.erase_user(user);
      done({.status = 204, .type = {}});
    });
  }

 private:
  serving::Recommender& recommender_;
  store::Store& store_;
  ApiOptions options_;
  std::atomic<size_t> waiting_{0};
  boost::asio::thread_pool pool_;
};

namespace {

// The rest of a path after a prefix, decoded; empty: it is another path.
std::string after(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return {};
  path.remove_prefix(prefix.size());
  if (path.find('/') != std::string_view::npos) return {};
  std::string id = decoded(path);
  if (id.size() > serving::kMostIdBytes) throw Error("an id in the path is too long");
  return id;
}

HttpReply wrong_method(const std::string& allowed) {
  HttpReply reply = problem(405, "use " + allowed);
  reply.headers.emplace_back("Allow", allowed);
  return reply;
}

}  // namespace

Api::Api(serving::Recommender& recommender, store::Store& store, const ApiOptions& options)
    : impl_(std::make_unique<Impl>(recommender, store, options)) {}
Api::~Api() = default;

void Api::handle(const HttpRequest& request, const Reply& reply) {
  const std::string_view path = request.path();
  const std::string& method = request.method;
  const bool get = method == "GET", post = method == "POST";
  if (path == "/healthz")
    return reply(get ? HttpReply{.body = R"({"ok":true})"} : wrong_method("GET"));
  if (path == "/readyz") {
    if (!get) return reply(wrong_method("GET"));
    return reply(ready_ ? HttpReply{.body = R"({"ready":true})"} : problem(503, "it is ending"));
  }
  try {
    const std::string item = after(path, "/v1/items/"), user = after(path, "/v1/users/");
    const bool order = path == "/v1/recommend" || path == "/v1/rerank";
    const bool events = path == "/v1/events";
    if (!order && !events && item.empty() && user.empty()) {
      return reply(problem(404, "there is nothing at this path", "see the API's description"));
    }
    if ((order || events) && !post) return reply(wrong_method("POST"));
    if (!item.empty() && method != "PUT" && method != "DELETE") {
      return reply(wrong_method("PUT, DELETE"));
    }
    if (!user.empty() && !get && method != "DELETE") return reply(wrong_method("GET, DELETE"));
    if (!impl_->take()) return reply(problem(429, "too many requests are under way"));
    if (path == "/v1/recommend") return impl_->order(request, RequestKind::kRecommend, reply);
    if (order) return impl_->order(request, RequestKind::kRerank, reply);
    if (events) return impl_->add_events(request, reply);
    if (!item.empty()) {
      if (method == "PUT") return impl_->put_item(item, request, reply);
      return impl_->remove_item(item, reply);
    }
    if (get) return impl_->tell_user(user, reply);
    impl_->erase_user(user, reply);
  } catch (...) {
    reply(problem(std::current_exception()));
  }
}

}  // namespace podium::serve
