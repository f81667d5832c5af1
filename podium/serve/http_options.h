// What can be set of an HttpServer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "podium/serve/http.h"

namespace podium::serve {

class TlsCertificate;

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any that is free
  // Open at once. One more takes the place of the connection that has been silent longest; where
  // none is silent, it is closed at once.
  size_t most_connections = 10000;
  uint32_t most_header_bytes = 16 << 10;
  uint64_t most_body_bytes = kMostBodyBytes;
  // Of all bodies above 64 KiB that are read or worked on; one that would go beyond is refused:
  // 503.
  uint64_t most_buffered_bytes = 256 << 20;
  std::shared_ptr<const TlsCertificate> tls = nullptr;  // none: HTTP as it is
  std::chrono::milliseconds handshake_timeout{10000};   // of TLS
  std::chrono::milliseconds read_timeout{30000};   // of a request, from its first byte or earlier
  std::chrono::milliseconds write_timeout{30000};  // of an answer: the peer must have taken it
  std::chrono::milliseconds idle_timeout{75000};   // between requests
};

}  // namespace podium::serve
