// One connection of an HttpServer, over Boost.Beast.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "podium/serve/connections.h"

namespace podium::serve {

// Adds a connection to `connections`, which closes by itself: it reads a request, hands it to the
// handler, writes the reply, and reads the next. On the server's thread.
void begin_session(const std::shared_ptr<Connections>& connections,
                   boost::asio::ip::tcp::socket socket);

}  // namespace podium::serve
