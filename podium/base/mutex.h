// A mutex that Clang's -Wthread-safety understands: what PODIUM_GUARDED_BY(mutex_) marks is touched
// only while mutex_ is held, or the code does not compile. GCC ignores the marks.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define PODIUM_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define PODIUM_THREAD_ATTRIBUTE(x)
#endif

#define PODIUM_GUARDED_BY(mutex) PODIUM_THREAD_ATTRIBUTE(guarded_by(mutex))
// Of a function: its callers hold the mutex.
#define PODIUM_REQUIRES(mutex) PODIUM_THREAD_ATTRIBUTE(requires_capability(mutex))

namespace podium {

class PODIUM_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() PODIUM_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() PODIUM_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

  // Waits for a notification, which may also come for nothing: call it in a loop that checks what
  // was waited for. The mutex is let go meanwhile.
  void wait(std::condition_variable& condition) PODIUM_REQUIRES(this) {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    condition.wait(lock);
    lock.release();
  }
  // The same, until a moment; false: it is past.
  template <class Moment>
  bool wait_until(std::condition_variable& condition, const Moment& moment) PODIUM_REQUIRES(this) {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    const bool told = condition.wait_until(lock, moment) == std::cv_status::no_timeout;
    lock.release();
    return told;
  }

 private:
  std::mutex mutex_;
};

// Holds a mutex for a scope.
class PODIUM_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) PODIUM_THREAD_ATTRIBUTE(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() PODIUM_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace podium
