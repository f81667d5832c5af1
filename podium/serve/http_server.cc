#include "podium/serve/http_server.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <optional>
#include <set>
#include <thread>

#include "podium/base/error.h"
#include "podium/base/mutex.h"
#include "podium/serve/problem.h"

namespace podium::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Code = boost::system::error_code;

constexpr std::chrono::milliseconds kMostLingering{2000};
constexpr size_t kMostLingeringBytes = 64 << 20;

HttpRequest taken(http::request<http::string_body>&& message) {
  HttpRequest request{std::string(message.method_string()), std::string(message.target()), {}, {}};
  for (const auto& field : message) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

// What Beast lets pass and we do not; nothing: it is well.
std::optional<HttpReply> refused(const http::request_header<>& header) {
  const auto hosts = header.count(http::field::host);
  if (header.version() == 11 && hosts != 1) {
    return problem(400, "a request has one Host header", "use HTTP/1.1 as RFC 9112 has it");
  }
  if (header.version() < 10 || header.version() > 11) return problem(400, "not HTTP/1.1");
  const auto coding = header[http::field::transfer_encoding];
  if (!coding.empty() && header.version() < 11) {
    return problem(400, "a transfer coding in HTTP/1.0");
  }
  if (!coding.empty() && !beast::iequals(coding, "chunked")) {
    return problem(501, "a transfer coding other than chunked");
  }
  const auto expected = header[http::field::expect];
  if (!expected.empty() && !beast::iequals(expected, "100-continue")) {
    return problem(417, "an expectation other than 100-continue");
  }
  return std::nullopt;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (beast::iequals(beast::string_view(key.data(), key.size()),
                       beast::string_view(name.data(), name.size()))) {
      return value;
    }
  }
  return {};
}

class Session;

// What outlives the HttpServer while replies are under way. Sessions live on its one thread.
class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
 public:
  Impl(const HttpServerOptions& options, Handler handler)
      : options_(options), handler_(std::move(handler)) {
    try {
      const tcp::endpoint endpoint(asio::ip::make_address(options.address), options.port);
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(asio::socket_base::reuse_address(true));
      acceptor_.bind(endpoint);
      acceptor_.listen(1024);
    } catch (const boost::system::system_error& error) {
      throw Error(ErrorKind::kUnavailable,
                  fmt::format("cannot listen on {}:{}: {}", options.address, options.port,
                              error.code().message()),
                  "choose another --port or --address");
    }
    port_ = acceptor_.local_endpoint().port();
  }

  void start() {
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  void drain(std::chrono::milliseconds most);

  const HttpServerOptions& options() const { return options_; }
  const Handler& handler() const { return handler_; }
  uint16_t port() const { return port_; }
  bool draining() const { return draining_; }
  void add(const std::shared_ptr<Session>& session) { sessions_.insert(session); }
  void remove(const std::shared_ptr<Session>& session);
  bool ended() const { return ended_; }  // nobody waits for a reply any more

 private:
  void accept();
  void stop_accepting();
  void tell_when_empty();

  HttpServerOptions options_;
  Handler handler_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_ =
      asio::make_work_guard(context_);  // replies under way are no work that Asio knows of
  tcp::acceptor acceptor_{context_};
  asio::steady_timer breath_{context_};
  uint16_t port_ = 0;
  bool draining_ = false;
  std::atomic<bool> ended_{false};
  std::set<std::shared_ptr<Session>> sessions_;
  std::thread thread_;
  Mutex mutex_;
  std::condition_variable empty_;
  bool done_ PODIUM_GUARDED_BY(mutex_) = false;
};

// One connection: reads a request, hands it over, writes the reply, and reads the next.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<HttpServer::Impl> server, tcp::socket socket);

  void read();
  void close_if_idle();
  void close();

 private:
  void on_header(Code code);
  void go_on();
  void on_body(Code code);
  void answer(HttpReply reply, bool stay);
  void linger();
  void on_parse_error(Code code);

  std::shared_ptr<HttpServer::Impl> server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  http::response<http::empty_body> continue_;
  bool idle_ = true;
  unsigned version_ = 11;
  size_t lingered_ = 0;  // bytes read past, after the last answer
  bool head_ = false;
};

Session::Session(std::shared_ptr<HttpServer::Impl> server, tcp::socket socket)
    : server_(std::move(server)), stream_(std::move(socket)) {
  Code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
}

void Session::read() {
  idle_ = buffer_.size() == 0;
  head_ = false;  // what does not parse is answered in full
  if (idle_ && server_->draining()) return close();
  parser_.emplace();
  parser_->header_limit(server_->options().most_header_bytes);
  parser_->body_limit(server_->options().most_body_bytes);
  stream_.expires_after(idle_ ? server_->options().idle_timeout : server_->options().read_timeout);
  // A first byte ends the idle time, so that a slow peer does not pass for a quiet one.
  const auto self = shared_from_this();
  const auto read_header = [self] {
    self->idle_ = false;
    self->stream_.expires_after(self->server_->options().read_timeout);
    http::async_read_header(self->stream_, self->buffer_, *self->parser_,
                            [self](Code code, size_t) { self->on_header(code); });
  };
  if (!idle_) return read_header();
  stream_.async_read_some(buffer_.prepare(4096), [self, read_header](Code code, size_t bytes) {
    if (code) return self->close();
    self->buffer_.commit(bytes);
    read_header();
  });
}

void Session::on_header(Code code) {
  if (code) return on_parse_error(code);
  const auto& header = parser_->get().base();
  version_ = header.version();
  head_ = header.method() == http::verb::head;
  if (auto reply = refused(header)) return answer(std::move(*reply), false);
  if (header[http::field::expect].empty() || parser_->is_done()) return go_on();
  continue_ = {http::status::continue_, version_};
  http::async_write(stream_, continue_, [self = shared_from_this()](Code failed, size_t) {
    if (failed) return self->close();
    self->go_on();
  });
}

void Session::go_on() {
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](Code code, size_t) { self->on_body(code); });
}

void Session::on_body(Code code) {
  if (code) return on_parse_error(code);
  stream_.expires_never();  // the handler has deadlines of its own
  const bool stay = parser_->get().keep_alive();
  // The reply comes from any thread, once.
  server_->handler()(taken(parser_->release()), [self = shared_from_this(), stay](HttpReply reply) {
    if (self->server_->ended()) return;
    asio::post(self->stream_.get_executor(), [self, stay, reply = std::move(reply)]() mutable {
      self->answer(std::move(reply), stay);
    });
  });
}

void Session::on_parse_error(Code code) {
  if (code == http::error::body_limit) return answer(problem(413, "the body is too large"), false);
  if (code == http::error::header_limit) {
    return answer(problem(431, "the headers are too large"), false);
  }
  if (code == beast::error::timeout)
    return answer(problem(408, "the request came too slowly"), false);
  const bool http_error = code.category() == make_error_code(http::error::end_of_stream).category();
  if (!http_error || code == http::error::end_of_stream || code == http::error::partial_message) {
    return close();
  }
  answer(problem(400, fmt::format("not HTTP: {}", code.message())), false);
}

void Session::answer(HttpReply reply, bool stay) {
  stay = stay && !server_->draining();
  response_ = {http::status(reply.status), version_};
  response_.set(http::field::server, "podium");
  if (!reply.body.empty()) response_.set(http::field::content_type, reply.type);
  for (const auto& [name, value] : reply.headers) response_.set(name, value);
  response_.keep_alive(stay);
  response_.body() = std::move(reply.body);
  response_.prepare_payload();
  if (reply.status == 204) response_.erase(http::field::content_length);
  if (head_) response_.body().clear();  // its length is told
  stream_.expires_after(server_->options().read_timeout);
  http::async_write(stream_, response_, [self = shared_from_this(), stay](Code code, size_t) {
    if (code) return self->close();
    stay ? self->read() : self->linger();
  });
}

// To close while the peer still sends would take the answer from it: what comes is read past, for a
// while.
void Session::linger() {
  Code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  if (lingered_ == 0) stream_.expires_after(kMostLingering);
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(64 << 10),
                          [self = shared_from_this()](Code code, size_t bytes) {
                            self->lingered_ += bytes;
                            if (code || self->lingered_ > kMostLingeringBytes) return self->close();
                            self->linger();
                          });
}

void Session::close_if_idle() {
  if (idle_) close();
}

void Session::close() {
  Code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.close();
  server_->remove(shared_from_this());
}

void HttpServer::Impl::accept() {
  acceptor_.async_accept([this](Code code, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (code) {  // out of descriptors: they come back when connections end
      breath_.expires_after(std::chrono::milliseconds(50));
      return breath_.async_wait([this](Code) { accept(); });
    }
    const auto session = std::make_shared<Session>(shared_from_this(), std::move(socket));
    add(session);
    session->read();
    accept();
  });
}

void HttpServer::Impl::remove(const std::shared_ptr<Session>& session) {
  sessions_.erase(session);
  tell_when_empty();
}

// To drain(), which waits for it.
void HttpServer::Impl::tell_when_empty() {
  if (!draining_ || !sessions_.empty()) return;
  const MutexLock lock(mutex_);
  done_ = true;
  empty_.notify_all();
}

void HttpServer::Impl::stop_accepting() {
  draining_ = true;
  Code ignored;
  acceptor_.close(ignored);
  const auto open = sessions_;
  for (const auto& session : open) session->close_if_idle();
  tell_when_empty();
}

void HttpServer::Impl::drain(std::chrono::milliseconds most) {
  if (!thread_.joinable()) return;
  asio::post(context_, [this] { stop_accepting(); });
  {
    const auto until = std::chrono::steady_clock::now() + most;
    const MutexLock lock(mutex_);
    while (!done_ && mutex_.wait_until(empty_, until)) {
    }
  }
  asio::post(context_, [this] {
    const auto open = sessions_;
    for (const auto& session : open) session->close();
    guard_.reset();
  });
  thread_.join();
  ended_ = true;
}

HttpServer::HttpServer(const HttpServerOptions& options, Handler handler)
    : impl_(std::make_shared<Impl>(options, std::move(handler))) {
  impl_->start();
}

HttpServer::~HttpServer() { drain(); }

uint16_t HttpServer::port() const { return impl_->port(); }

void HttpServer::drain(std::chrono::milliseconds most) { impl_->drain(most); }

}  // namespace podium::serve
