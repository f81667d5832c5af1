#include "podium/serve/http_server.h"

#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <thread>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/mutex.h"
#include "podium/base/progress.h"
#include "podium/serve/http_session.h"

namespace podium::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Code = boost::system::error_code;

}  // namespace

// What outlives the HttpServer while replies are under way. Sessions live on its one thread.
class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
 public:
  Impl(const HttpServerOptions& options, Handler handler)
      : connections_(options, std::move(handler)) {
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

  uint16_t port() const { return port_; }
  size_t connections() const { return connections_.size(); }

 private:
  void accept();
  void wait_for_descriptors(Code code);
  void stop_accepting();

  Connections connections_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_ =
      asio::make_work_guard(context_);  // replies under way are no work that Asio knows of
  tcp::acceptor acceptor_{context_};
  asio::steady_timer breath_{context_};
  bool starved_ = false;  // the last connection could not be accepted
  uint16_t port_ = 0;
  std::thread thread_;
  Mutex mutex_;
  std::condition_variable empty_;
  bool done_ PODIUM_GUARDED_BY(mutex_) = false;
};

void HttpServer::Impl::accept() {
  acceptor_.async_accept([this](Code code, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (code) return wait_for_descriptors(code);
    starved_ = false;
    if (connections_.make_room()) {
      begin_session(std::shared_ptr<Connections>(shared_from_this(), &connections_),
                    std::move(socket));
    }
    accept();
  });
}

// Out of descriptors: they come back when connections end, and whoever connects waits until then.
void HttpServer::Impl::wait_for_descriptors(Code code) {
  if (!starved_) log_warning(fmt::format("cannot accept a connection: {}", code.message()));
  starved_ = true;
  breath_.expires_after(std::chrono::milliseconds(50));
  breath_.async_wait([this](Code) { accept(); });
}

void HttpServer::Impl::stop_accepting() {
  Code ignored;
  acceptor_.close(ignored);
  connections_.drain([this] {  // to drain(), which waits for it
    const MutexLock lock(mutex_);
    done_ = true;
    empty_.notify_all();
  });
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
    connections_.close_all();
    guard_.reset();
  });
  thread_.join();
  connections_.end();
}

HttpServer::HttpServer(const HttpServerOptions& options, Handler handler)
    : impl_(std::make_shared<Impl>(options, std::move(handler))) {
  impl_->start();
}

HttpServer::~HttpServer() { drain(); }

uint16_t HttpServer::port() const { return impl_->port(); }

size_t HttpServer::connections() const { return impl_->connections(); }

void HttpServer::drain(std::chrono::milliseconds most) { impl_->drain(most); }

}  // namespace podium::serve
