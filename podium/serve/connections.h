// The connections of an HttpServer: who is open, who is silent, and what they share.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>

#include "podium/serve/http.h"
#include "podium/serve/http_options.h"

namespace podium::serve {

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void close() = 0;  // and Connections::remove
};

// Belongs to the server's one thread, but for what says otherwise.
class Connections {
 public:
  Connections(const HttpServerOptions& options, Handler handler);

  const HttpServerOptions& options() const { return options_; }  // on any thread
  const Handler& handler() const { return handler_; }            // on any thread

  // Whether one more may be added; may close the one that has been silent longest.
  bool make_room();
  void add(std::shared_ptr<Connection> connection);
  void remove(const Connection& connection);
  // It waits for a request, or no longer does.
  void silent(const Connection& connection);
  void busy(const Connection& connection);
  size_t size() const { return size_; }  // on any thread

  // Of a request that is read: room for its body, until it is released. False: there is none now.
  bool reserve(uint64_t bytes);
  void release(uint64_t bytes) { reserved_ -= bytes; }

  // From now on every connection closes after the answer under way, and silent ones do at once.
  // `empty` is called when all have closed.
  void drain(std::function<void()> empty);
  bool draining() const { return draining_; }
  void close_all();
  // Nobody waits for a reply any more. On any thread.
  void end() { ended_ = true; }
  bool ended() const { return ended_; }

 private:
  using Silent = std::list<std::shared_ptr<Connection>>;  // the longest first
  struct Place {
    std::shared_ptr<Connection> connection;
    Silent::iterator silent;  // silent_.end(): it is busy
  };

  const HttpServerOptions options_;
  const Handler handler_;
  std::unordered_map<const Connection*, Place> open_;
  Silent silent_;
  uint64_t reserved_ = 0;
  bool draining_ = false;
  std::function<void()> empty_;
  std::atomic<size_t> size_{0};
  std::atomic<bool> ended_{false};
};

}  // namespace podium::serve
