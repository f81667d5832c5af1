// An HTTP/1.1 server over Boost.Beast: keep-alive, pipelining, limits, timeouts, a drain that lets
// every accepted request end. What does not parse gets a 400; so does what Beast lets pass and
// proxies read in different ways: no Host, a transfer coding but chunked, one in HTTP/1.0.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "podium/serve/http.h"
#include "podium/serve/http_options.h"

namespace podium::serve {

class HttpServer {
 public:
  class Impl;

  // Listens when it returns; one thread reads and writes. Throws Error when the address is taken.
  HttpServer(const HttpServerOptions& options, Handler handler);
  ~HttpServer();  // drains
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  size_t connections() const;  // that are open
  // Accepts no more, closes idle connections, waits for the replies under way, at most so long.
  void drain(std::chrono::milliseconds most = std::chrono::seconds(30));

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace podium::serve
