// An HTTP/1.1 server over Boost.Beast: keep-alive, pipelining, limits, timeouts, a drain that lets
// every accepted request end. What does not parse gets a 400; so does what Beast lets pass and
// proxies read in different ways: no Host, a transfer coding but chunked, one in HTTP/1.0.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "podium/serve/http.h"

namespace podium::serve {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any that is free
  uint32_t most_header_bytes = 16 << 10;
  uint64_t most_body_bytes = 8 << 20;
  std::chrono::milliseconds read_timeout{30000};  // of a request, from its first byte or earlier
  std::chrono::milliseconds idle_timeout{75000};  // between requests
};

class HttpServer {
 public:
  class Impl;

  // Listens when it returns; one thread reads and writes. Throws Error when the address is taken.
  HttpServer(const HttpServerOptions& options, Handler handler);
  ~HttpServer();  // drains
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  // Accepts no more, closes idle connections, waits for the replies under way, at most so long.
  void drain(std::chrono::milliseconds most = std::chrono::seconds(30));

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace podium::serve
