// A value made when it is first asked for.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace podium {

// get() is thread-safe; a maker that throws is asked again the next time.
template <class T>
class Lazy {
 public:
  using Make = std::function<std::unique_ptr<T>()>;

  explicit Lazy(Make make) : state_(std::make_unique<State>()) { state_->make = std::move(make); }
  Lazy(T value) : state_(std::make_unique<State>()) {  // NOLINT(google-explicit-constructor)
    state_->value = std::make_unique<T>(std::move(value));
  }

  T& get() const {
    const std::lock_guard lock(state_->mutex);
    if (!state_->value) state_->value = state_->make();
    return *state_->value;
  }

 private:
  struct State {
    std::mutex mutex;
    Make make;
    std::unique_ptr<T> value;
  };
  std::unique_ptr<State> state_;
};

}  // namespace podium
