// A fixed number of requests a second to a running `podium serve`, whether it keeps up or not: what
// users do, and what a client that waits for each answer cannot show. Latency counts from the
// moment that a request was due.
//
//   serve_load --port P --dataset DIR --kind recommend|rerank|event|events --rate 500
//              [--seconds 10] [--connections 32] [--group 1000] [--users 2000] [--k 10] [--cold 1]
//
// recommend, rerank: of --users users, in turn; each was asked for once before the clock starts, so
// that the policy has read the histories, unless --cold. rerank: of the items that the server
// recommends to each.
// Prints one line of JSON: what was due, answered (by status), refused for want of a free
// connection, and the answered ones' latency in ms.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdio>
#include <deque>
#include <map>

#include "bench/measure.h"
#include "podium/base/json.h"
#include "podium/base/rng.h"
#include "podium/data/dataset.h"

namespace podium::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

struct Call {
  std::string target, body;
};

struct Tally {
  std::map<int, size_t> statuses;
  std::vector<double> ok_ms;
  size_t lost = 0;  // connections that broke
};

// One connection, one request at a time.
class Client {
 public:
  Client(asio::io_context& context, uint16_t port) : stream_(context), port_(port) { connect(); }

  bool free() const { return !busy_; }

  template <class Done>
  void send(const Call& call, Clock::time_point due, Tally& tally, Done done) {
    busy_ = true;
    request_ = {http::verb::post, call.target, 11};
    request_.set(http::field::host, "127.0.0.1");
    request_.body() = call.body;
    request_.prepare_payload();
    http::async_write(stream_, request_, [this, due, &tally, done](auto code, size_t) {
      if (code) return broken(tally, done);
      response_ = {};
      http::async_read(stream_, buffer_, response_, [this, due, &tally, done](auto failed, size_t) {
        if (failed) return broken(tally, done);
        ++tally.statuses[response_.result_int()];
        if (response_.result_int() == 200) {
          tally.ok_ms.push_back(
              std::chrono::duration<double, std::milli>(Clock::now() - due).count());
        }
        busy_ = false;
        done();
      });
    });
  }

 private:
  void connect() {
    stream_.connect({asio::ip::address_v4::loopback(), port_});
    stream_.socket().set_option(tcp::no_delay(true));
  }
  template <class Done>
  void broken(Tally& tally, Done done) {
    ++tally.lost;
    stream_.close();
    buffer_.clear();
    connect();
    busy_ = false;
    done();
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
  uint16_t port_;
  bool busy_ = false;
};

// Sends what is due over whichever connection is free; what finds none waits its turn.
class Load {
 public:
  Load(asio::io_context& context, uint16_t port, size_t connections, std::vector<Call> calls)
      : context_(context), timer_(context), calls_(std::move(calls)) {
    for (size_t i = 0; i < connections; ++i) {
      clients_.push_back(std::make_unique<Client>(context, port));
    }
  }

  Tally run(double rate, double seconds) {
    begin_ = Clock::now();
    total_ = size_t(rate * seconds);
    gap_ = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate));
    tick();
    context_.run();
    return std::move(tally_);
  }

 private:
  void tick() {
    const auto now = Clock::now();
    while (due_ < total_ && begin_ + gap_ * int64_t(due_) <= now) {
      waiting_.push_back(due_++);
    }
    dispatch();
    if (due_ == total_) return;
    timer_.expires_at(begin_ + gap_ * int64_t(due_));
    timer_.async_wait([this](auto) { tick(); });
  }
  void dispatch() {
    for (const auto& client : clients_) {
      if (waiting_.empty()) return;
      if (!client->free()) continue;
      const size_t number = waiting_.front();
      waiting_.pop_front();
      client->send(calls_[number % calls_.size()], begin_ + gap_ * int64_t(number), tally_,
                   [this] { dispatch(); });
    }
  }

  asio::io_context& context_;
  asio::steady_timer timer_;
  std::vector<Call> calls_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::deque<size_t> waiting_;
  Clock::time_point begin_;
  Clock::duration gap_{};
  size_t due_ = 0, total_ = 0;
  Tally tally_;
};

std::string post(uint16_t port, const Call& call) {
  asio::io_context context;
  beast::tcp_stream stream(context);
  stream.connect({asio::ip::address_v4::loopback(), port});
  http::request<http::string_body> request{http::verb::post, call.target, 11};
  request.set(http::field::host, "127.0.0.1");
  request.body() = call.body;
  request.prepare_payload();
  http::write(stream, request);
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(stream, buffer, response);
  return response.body();
}

std::vector<Call> calls_of(const std::string& kind, const data::Dataset& dataset, uint16_t port,
                           size_t users, size_t k, size_t group, bool cold) {
  Rng rng(1);
  std::vector<Call> calls;
  const auto some_user = [&] {
    return std::string(dataset.user_id(data::UserIndex(rng.below(uint64_t(dataset.users())))));
  };
  const auto some_item = [&] {
    return std::string(dataset.item_id(data::ItemIndex(rng.below(uint64_t(dataset.items())))));
  };
  for (size_t i = 0; i < users; ++i) {
    if (kind == "event" || kind == "events") {
      Json events = Json::array();
      for (size_t e = 0; e < (kind == "events" ? group : 1); ++e) {
        events.push_back({{"user", some_user()}, {"item", some_item()}});
      }
      calls.push_back({"/v1/events", Json({{"events", std::move(events)}}).dump()});
      continue;
    }
    const std::string user = some_user();
    Call recommend{"/v1/recommend", Json({{"user", user}, {"k", k}}).dump()};
    if (kind == "recommend") {
      if (!cold) post(port, recommend);
      calls.push_back(std::move(recommend));
      continue;
    }
    const Json answer = parse_json(post(port, recommend), "answer");
    Json candidates = Json::array();
    for (const Json& item : answer.at("items")) candidates.push_back(item.at("id"));
    calls.push_back({"/v1/rerank", Json({{"user", user}, {"candidates", candidates}}).dump()});
    if (!cold) post(port, calls.back());
  }
  return calls;
}

std::string text_argument(int argc, char** argv, const std::string& name,
                          const std::string& otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == "--" + name) return argv[i + 1];
  }
  return otherwise;
}

int run(int argc, char** argv) {
  const auto number = [&](const char* name, double otherwise) {
    return double(argument(argc, argv, name, long(otherwise)));
  };
  const auto port = uint16_t(number("port", 8080));
  const std::string kind = text_argument(argc, argv, "kind", "recommend");
  const double rate = number("rate", 500), seconds = number("seconds", 10);
  const data::Dataset dataset =
      data::Dataset::open(text_argument(argc, argv, "dataset", ""), false);
  asio::io_context context;
  Load load(context, port, size_t(number("connections", 32)),
            calls_of(kind, dataset, port, size_t(number("users", 2000)), size_t(number("k", 10)),
                     size_t(number("group", 1000)), number("cold", 0) > 0));
  Tally tally = load.run(rate, seconds);
  Json statuses = Json::object();
  for (const auto& [status, count] : tally.statuses) statuses[std::to_string(status)] = count;
  std::ranges::sort(tally.ok_ms);
  const auto quantile = [&](double q) {
    return tally.ok_ms.empty() ? 0.0 : tally.ok_ms[size_t(q * double(tally.ok_ms.size() - 1))];
  };
  const Json out = {{"kind", kind},
                    {"rate", rate},
                    {"ok_a_second", double(tally.ok_ms.size()) / seconds},
                    {"statuses", statuses},
                    {"lost", tally.lost},
                    {"p50_ms", quantile(.5)},
                    {"p99_ms", quantile(.99)},
                    {"p999_ms", quantile(.999)},
                    {"max_ms", quantile(1)}};
  std::printf("%s\n", out.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::run(argc, argv); }
