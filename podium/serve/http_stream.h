// A connection's bytes: as they are, or over TLS. What Boost.Beast reads from and writes to.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <utility>
#include <variant>

namespace podium::serve {

class HttpStream {
 public:
  using Tcp = boost::beast::tcp_stream;
  using Tls = boost::beast::ssl_stream<Tcp>;
  using executor_type = Tcp::executor_type;

  // Over TLS where there is a context; it is needed here only.
  HttpStream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls)
      : stream_(tls == nullptr ? Either(std::in_place_type<Tcp>, std::move(socket))
                               : Either(std::in_place_type<Tls>, std::move(socket), *tls)) {}

  executor_type get_executor() { return tcp().get_executor(); }

  // Below TLS, with the deadline of everything above it.
  Tcp& tcp() {
    auto* const tls = std::get_if<Tls>(&stream_);
    return tls == nullptr ? std::get<Tcp>(stream_) : tls->next_layer();
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    std::visit([&](auto& s) { s.async_read_some(buffers, std::forward<Handler>(handler)); },
               stream_);
  }
  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    std::visit([&](auto& s) { s.async_write_some(buffers, std::forward<Handler>(handler)); },
               stream_);
  }

  // Before the first byte. handler(code): at once where there is no TLS.
  template <class Handler>
  void async_begin(Handler&& handler) {
    auto* const tls = std::get_if<Tls>(&stream_);
    if (tls == nullptr) return handler(boost::system::error_code());
    tls->async_handshake(Tls::server, std::forward<Handler>(handler));
  }
  // After the last byte: the peer is told that there is no more, and agrees.
  template <class Handler>
  void async_end(Handler&& handler) {
    auto* const tls = std::get_if<Tls>(&stream_);
    if (tls == nullptr) return handler(boost::system::error_code());
    tls->async_shutdown(std::forward<Handler>(handler));
  }

 private:
  using Either = std::variant<Tcp, Tls>;
  Either stream_;
};

}  // namespace podium::serve
