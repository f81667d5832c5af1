#include "podium/serve/http_session.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "podium/serve/content_coding.h"
#include "podium/serve/http_stream.h"
#include "podium/serve/problem.h"
#include "podium/serve/reply_stream.h"
#include "podium/serve/tls_certificate.h"

namespace podium::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Code = boost::system::error_code;

constexpr std::chrono::milliseconds kMostLingering{2000};
constexpr size_t kMostLingeringBytes = 64 << 20;
constexpr size_t kFirstBytes = 1024;  // that a silent connection has room for
constexpr uint64_t kSmallBody = 64 << 10;

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

class Session : public Connection, public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Connections> connections, tcp::socket socket, asio::ssl::context* tls);

  void begin();
  void close() override;

 private:
  // A reply that comes in parts.
  struct Streaming {
    using Head = http::response<http::empty_body>;
    Streaming(std::shared_ptr<ReplyStream> of, Head begun)
        : parts(std::move(of)), head(std::move(begun)) {}

    std::shared_ptr<ReplyStream> parts;
    Head head;
    http::response_serializer<http::empty_body> writer{head};
    std::string bytes;  // being written
    bool writing = false;
  };

  void read();
  void read_header();
  void on_header(Code code);
  bool reserve();
  void go_on();
  void on_body(Code code);
  void answer(HttpReply reply, bool stay);
  void stream(HttpReply reply, bool stay);
  void write_parts();
  void stop_streaming();
  void end();
  void linger();
  void on_parse_error(Code code);
  void release();

  const HttpServerOptions& options() const { return connections_->options(); }

  std::shared_ptr<Connections> connections_;
  HttpStream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  http::response<http::empty_body> continue_;
  uint64_t reserved_ = 0;  // of Connections, for the body
  unsigned version_ = 11;
  size_t lingered_ = 0;  // bytes read past, after the last answer
  bool head_ = false;
  std::optional<Streaming> streaming_;  // none: the reply is whole
};

Session::Session(std::shared_ptr<Connections> connections, tcp::socket socket,
                 asio::ssl::context* tls)
    : connections_(std::move(connections)), stream_(std::move(socket), tls) {
  Code ignored;
  stream_.tcp().socket().set_option(tcp::no_delay(true), ignored);
}

void Session::begin() {
  stream_.tcp().expires_after(options().handshake_timeout);
  stream_.async_begin(
      [self = shared_from_this()](Code code) { code ? self->close() : self->read(); });
}

void Session::read() {
  head_ = false;  // what does not parse is answered in full
  parser_.reset();
  if (buffer_.size() > 0) return read_header();
  if (connections_->draining()) return close();
  // Ten thousand of them may wait, so that it keeps nothing of the request before.
  response_ = {};
  buffer_.shrink_to_fit();
  connections_->silent(*this);
  stream_.tcp().expires_after(options().idle_timeout);
  stream_.async_read_some(buffer_.prepare(kFirstBytes),
                          [self = shared_from_this()](Code code, size_t bytes) {
                            if (code) return self->close();
                            self->connections_->busy(*self);
                            self->buffer_.commit(bytes);
                            self->read_header();
                          });
}

void Session::read_header() {
  parser_.emplace();
  parser_->header_limit(options().most_header_bytes);
  parser_->body_limit(options().most_body_bytes);
  stream_.tcp().expires_after(
      options().read_timeout);  // until all of it is there, however it drips
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](Code code, size_t) { self->on_header(code); });
}

void Session::on_header(Code code) {
  if (code) return on_parse_error(code);
  const auto& header = parser_->get().base();
  version_ = header.version();
  head_ = header.method() == http::verb::head;
  if (auto reply = refused(header)) return answer(std::move(*reply), false);
  if (!reserve()) return answer(problem(503, "too many large bodies are under way"), false);
  if (header[http::field::expect].empty() || parser_->is_done()) return go_on();
  continue_ = {http::status::continue_, version_};
  http::async_write(stream_, continue_, [self = shared_from_this()](Code failed, size_t) {
    if (failed) return self->close();
    self->go_on();
  });
}

// Room for the body; small ones need none.
bool Session::reserve() {
  uint64_t bytes = parser_->chunked() ? options().most_body_bytes : 0;
  if (const auto length = parser_->content_length()) bytes = *length;
  if (bytes <= kSmallBody) return true;
  if (!connections_->reserve(bytes)) return false;
  reserved_ = bytes;
  return true;
}

void Session::release() {
  connections_->release(reserved_);
  reserved_ = 0;
}

void Session::go_on() {
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](Code code, size_t) { self->on_body(code); });
}

void Session::on_body(Code code) {
  if (code) return on_parse_error(code);
  stream_.tcp().expires_never();  // the handler has deadlines of its own
  const bool stay = parser_->get().keep_alive();
  HttpRequest request = taken(parser_->release());
  const bool gzip_allowed = allows_gzip(request);
  // The reply comes from any thread, once.
  connections_->handler()(
      std::move(request), [self = shared_from_this(), stay, gzip_allowed](HttpReply reply) {
        if (self->connections_->ended()) return;
        encode(reply, gzip_allowed);
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
  const bool http_error = code.category() == make_error_code(http::error::end_of_stream).category();
  if (!http_error || code == http::error::end_of_stream || code == http::error::partial_message) {
    return close();  // after a timeout Beast has closed it already
  }
  answer(problem(400, fmt::format("not HTTP: {}", code.message())), false);
}

void Session::answer(HttpReply reply, bool stay) {
  release();
  stay = stay && !connections_->draining();
  if (reply.stream) return stream(std::move(reply), stay);
  response_ = {http::status(reply.status), version_};
  response_.set(http::field::server, "podium");
  if (!reply.body.empty()) response_.set(http::field::content_type, reply.type);
  for (const auto& [name, value] : reply.headers) response_.set(name, value);
  response_.keep_alive(stay);
  response_.body() = std::move(reply.body);
  response_.prepare_payload();
  if (reply.status == 204) response_.erase(http::field::content_length);
  if (head_) response_.body().clear();  // its length is told
  stream_.tcp().expires_after(options().write_timeout);
  http::async_write(stream_, response_, [self = shared_from_this(), stay](Code code, size_t) {
    if (code) return self->close();
    stay ? self->read() : self->end();
  });
}

// The head, then parts as they come, as chunks; to HTTP/1.0, which knows none, up to the
// connection's end.
void Session::stream(HttpReply reply, bool stay) {
  const bool chunked = version_ == 11;
  http::response<http::empty_body> head{http::status(reply.status), version_};
  head.set(http::field::server, "podium");
  head.set(http::field::content_type, reply.type);
  for (const auto& [name, value] : reply.headers) head.set(name, value);
  head.keep_alive(stay && chunked);
  head.chunked(chunked);
  streaming_.emplace(std::move(reply.stream), std::move(head));
  stream_.tcp().expires_after(options().write_timeout);
  http::async_write_header(
      stream_, streaming_->writer, [self = shared_from_this()](Code code, size_t) {
        if (code) return self->close();
        self->streaming_->parts->on_parts([self] {
          if (self->connections_->ended()) return;
          asio::post(self->stream_.get_executor(), [self] { self->write_parts(); });
        });
      });
}

void Session::write_parts() {
  if (!streaming_ || streaming_->writing) return;
  const auto [bytes, ended] = streaming_->parts->take();
  if (bytes.empty() && !ended) return stream_.tcp().expires_never();
  std::string& out = streaming_->bytes;
  out = bytes;
  if (streaming_->head.chunked()) {
    if (!bytes.empty()) out = fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
    if (ended) out += "0\r\n\r\n";
  }
  streaming_->writing = true;
  stream_.tcp().expires_after(options().write_timeout);
  const bool last = ended;
  asio::async_write(stream_, asio::buffer(out),
                    [self = shared_from_this(), last](Code code, size_t) {
                      if (code) return self->close();
                      self->streaming_->writing = false;
                      if (!last) return self->write_parts();
                      const bool stay = self->streaming_->head.keep_alive();
                      self->stop_streaming();
                      stay ? self->read() : self->end();
                    });
}

void Session::stop_streaming() {
  if (streaming_) streaming_->parts->close();
  streaming_.reset();
}

void Session::end() {
  stream_.tcp().expires_after(kMostLingering);
  stream_.async_end([self = shared_from_this()](Code) { self->linger(); });
}

// To close while the peer still sends would take the answer from it: what comes is read past, below
// TLS, for a while.
void Session::linger() {
  Code ignored;
  stream_.tcp().socket().shutdown(tcp::socket::shutdown_send, ignored);
  buffer_.clear();
  stream_.tcp().async_read_some(buffer_.prepare(64 << 10),
                                [self = shared_from_this()](Code code, size_t bytes) {
                                  self->lingered_ += bytes;
                                  if (code || self->lingered_ > kMostLingeringBytes)
                                    return self->close();
                                  self->linger();
                                });
}

void Session::close() {
  release();
  stop_streaming();
  Code ignored;
  stream_.tcp().socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.tcp().close();
  connections_->remove(*this);
}

}  // namespace

void begin_session(const std::shared_ptr<Connections>& connections, tcp::socket socket) {
  const auto& certificate = connections->options().tls;
  const auto tls = certificate == nullptr ? nullptr : certificate->now();
  const auto session = std::make_shared<Session>(connections, std::move(socket), tls.get());
  connections->add(session);
  session->begin();
}

}  // namespace podium::serve
