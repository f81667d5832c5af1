#include "podium/serve/connections.h"

#include <utility>
#include <vector>

namespace podium::serve {

Connections::Connections(const HttpServerOptions& options, Handler handler)
    : options_(options), handler_(std::move(handler)) {}

bool Connections::make_room() {
  if (open_.size() < options_.most_connections) return true;
  if (silent_.empty()) return false;
  const std::shared_ptr<Connection> longest = silent_.front();
  longest->close();
  return true;
}

void Connections::add(std::shared_ptr<Connection> connection) {
  const Connection* const key = connection.get();
  open_.emplace(key, Place{std::move(connection), silent_.end()});
  size_ = open_.size();
}

void Connections::remove(const Connection& connection) {
  busy(connection);
  open_.erase(&connection);
  size_ = open_.size();
  if (draining_ && open_.empty()) empty_();
}

void Connections::silent(const Connection& connection) {
  const auto at = open_.find(&connection);
  if (at == open_.end() || at->second.silent != silent_.end()) return;
  at->second.silent = silent_.insert(silent_.end(), at->second.connection);
}

void Connections::busy(const Connection& connection) {
  const auto at = open_.find(&connection);
  if (at == open_.end() || at->second.silent == silent_.end()) return;
  silent_.erase(at->second.silent);
  at->second.silent = silent_.end();
}

bool Connections::reserve(uint64_t bytes) {
  if (bytes > options_.most_buffered_bytes - reserved_) return false;
  reserved_ += bytes;
  return true;
}

void Connections::drain(std::function<void()> empty) {
  draining_ = true;
  empty_ = std::move(empty);
  if (open_.empty()) return empty_();
  const std::vector<std::shared_ptr<Connection>> silent(silent_.begin(), silent_.end());
  for (const auto& connection : silent) connection->close();
}

void Connections::close_all() {
  std::vector<std::shared_ptr<Connection>> open;
  for (const auto& [key, place] : open_) open.push_back(place.connection);
  for (const auto& connection : open) connection->close();
}

}  // namespace podium::serve
