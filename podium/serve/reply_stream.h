// A reply's body that comes in parts while its work goes on.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "podium/base/mutex.h"

namespace podium::serve {

// Thread-safe. One side sends parts, from any thread; the other, the server, takes and writes them.
class ReplyStream {
 public:
  // False: nobody reads any more, and the work may stop.
  bool send(std::string_view part);
  void end();
  // Called by end(), once; to be set before.
  void when_ended(std::function<void()> done);

  struct Parts {
    std::string bytes;   // since the last call
    bool ended = false;  // and none will come
  };
  Parts take();
  // From now on called whenever there is something to take, on the sender's thread; at once where
  // there is already. Must not throw.
  void on_parts(std::function<void()> wake);
  // Nobody reads any more: lets `wake` go.
  void close();

 private:
  void tell();

  Mutex mutex_;
  Parts parts_ PODIUM_GUARDED_BY(mutex_);
  bool closed_ PODIUM_GUARDED_BY(mutex_) = false;
  std::function<void()> wake_ PODIUM_GUARDED_BY(mutex_);
  std::function<void()> done_ PODIUM_GUARDED_BY(mutex_);
};

}  // namespace podium::serve
