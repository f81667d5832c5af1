// A value made when it is first asked for.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "podium/base/mutex.h"

namespace podium {

// get() is thread-safe; a maker that throws is asked again the next time.
template <class T>
class Lazy {
 public:
  using Make = std::function<std::unique_ptr<T>()>;

  explicit Lazy(Make make) : state_(std::make_unique<State>(std::move(make), nullptr)) {}
  Lazy(T value)  // NOLINT(google-explicit-constructor)
      : state_(std::make_unique<State>(nullptr, std::make_unique<T>(std::move(value)))) {}

  T& get() const {
    const MutexLock lock(state_->mutex);
    if (!state_->value) state_->value = state_->make();
    return *state_->value;
  }

 private:
  struct State {
    State(Make m, std::unique_ptr<T> v) : make(std::move(m)), value(std::move(v)) {}
    Mutex mutex;
    Make make PODIUM_GUARDED_BY(mutex);
    std::unique_ptr<T> value PODIUM_GUARDED_BY(mutex);
  };
  std::unique_ptr<State> state_;
};

}  // namespace podium
