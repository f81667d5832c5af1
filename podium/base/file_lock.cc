#include "podium/base/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "podium/base/error.h"

namespace podium {

FileLock::FileLock(const fs::path& file) {
  fs::create_directories(file.parent_path());
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw Error(kind_of_errno(errno), fmt::format("cannot open: {}", std::strerror(errno)),
                "check the directory's rights", file.string());
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor_);
    throw Error(ErrorKind::kUnavailable, "another process is at work in this directory",
                "wait for it, or choose another directory", file.parent_path().string());
  }
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace podium
