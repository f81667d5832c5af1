// As mutex.h, for what is read much more often than written.
#pragma once

#include <shared_mutex>

#include "podium/base/mutex.h"

namespace podium {

// Many readers or one writer.
class PODIUM_THREAD_ATTRIBUTE(capability("mutex")) SharedMutex {
 public:
  void lock() PODIUM_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() PODIUM_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  void lock_shared() PODIUM_THREAD_ATTRIBUTE(acquire_shared_capability()) { mutex_.lock_shared(); }
  void unlock_shared() PODIUM_THREAD_ATTRIBUTE(release_shared_capability()) {
    mutex_.unlock_shared();
  }

 private:
  std::shared_mutex mutex_;
};

class PODIUM_THREAD_ATTRIBUTE(scoped_lockable) WriterLock {
 public:
  explicit WriterLock(SharedMutex& mutex) PODIUM_THREAD_ATTRIBUTE(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~WriterLock() PODIUM_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class PODIUM_THREAD_ATTRIBUTE(scoped_lockable) ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mutex) PODIUM_THREAD_ATTRIBUTE(acquire_shared_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~ReaderLock() PODIUM_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock_shared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace podium
