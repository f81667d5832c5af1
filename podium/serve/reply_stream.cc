#include "podium/serve/reply_stream.h"

#include <utility>

namespace podium::serve {

bool ReplyStream::send(std::string_view part) {
  {
    const MutexLock lock(mutex_);
    if (closed_) return false;
    if (part.empty()) return true;
    parts_.bytes += part;
  }
  tell();
  return true;
}

void ReplyStream::end() {
  std::function<void()> done;
  {
    const MutexLock lock(mutex_);
    parts_.ended = true;
    done.swap(done_);
  }
  tell();
  if (done) done();
}

void ReplyStream::when_ended(std::function<void()> done) {
  const MutexLock lock(mutex_);
  done_ = std::move(done);
}

ReplyStream::Parts ReplyStream::take() {
  const MutexLock lock(mutex_);
  return {std::exchange(parts_.bytes, {}), parts_.ended};
}

void ReplyStream::on_parts(std::function<void()> wake) {
  {
    const MutexLock lock(mutex_);
    wake_ = std::move(wake);
    if (parts_.bytes.empty() && !parts_.ended) return;
  }
  tell();
}

void ReplyStream::close() {
  std::function<void()> last;  // what it holds may end with it, outside the lock
  const MutexLock lock(mutex_);
  closed_ = true;
  last.swap(wake_);
}

void ReplyStream::tell() {
  std::function<void()> wake;
  {
    const MutexLock lock(mutex_);
    wake = wake_;
  }
  if (wake) wake();
}

}  // namespace podium::serve
