#include "podium/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <system_error>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/system_calls.h"

namespace podium {
namespace {

constexpr size_t kLongestName = 200;  // leaves room for what is put around it

const char* cure_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
      return "check the path";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check its permissions";
    case ENOSPC:
    case EDQUOT:
      return "free some space, or choose another disk";
    default:
      return "check the path, its permissions and free space";
  }
}

// Closes a descriptor on every way out.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) system_calls().close(fd);
  }
};

void sync_path(const fs::path& path, int flags) {
  const Descriptor d{system_calls().open(path.c_str(), flags | O_CLOEXEC, 0)};
  if (d.fd < 0) fail_on_path("cannot open what was written", path);
  if (system_calls().fsync(d.fd) == 0) return;
  const bool unsupported = errno == EINVAL && (flags & O_DIRECTORY) != 0;  // some network disks
  if (!unsupported) fail_on_path("cannot flush to disk", path);
}

bool written_in_place(const fs::path& path) {
  if (const auto status = fs::status(path); fs::exists(status)) {
    if (fs::is_directory(status)) {
      throw Error("cannot write a file: there is a directory of that name", "name another file",
                  path.string());
    }
    if (!fs::is_regular_file(status)) return true;
  }
  const std::string name = path.string();  // these may lead to a file that a shell has opened
  return name == "/dev/stdout" || name == "/dev/stderr" || name.starts_with("/dev/fd/") ||
         name.starts_with("/proc/");
}

// Six letters that no other process draws at the same time.
std::string random_suffix() {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  thread_local std::random_device source;
  std::string suffix;
  for (int i = 0; i < 6; ++i) suffix += kLetters[source() % kLetters.size()];
  return suffix;
}

fs::path temporary_beside(const fs::path& path) {
  return folder_of(path) /
         ("." + path.filename().string().substr(0, kLongestName) + ".podium-" + random_suffix());
}

}  // namespace

void fail_on_path(const std::string& what, const fs::path& path) {
  const int number = errno;
  throw Error(kind_of_errno(number), what + ": " + std::strerror(number), cure_of(number),
              path.string());
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

std::string read_file(const fs::path& path) {
  const Descriptor d{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (d.fd < 0) fail_on_path("cannot read file", path);
  struct stat status {};
  const bool sized = ::fstat(d.fd, &status) == 0 && S_ISREG(status.st_mode);
  std::string bytes(sized ? size_t(status.st_size) : 0, '\0');
  size_t used = 0;
  for (;;) {  // a pipe has no size, and a file may have grown meanwhile
    if (used == bytes.size()) {
      char probe[4096];
      const ssize_t n = ::read(d.fd, probe, sizeof probe);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail_on_path("cannot read file", path);
      if (n == 0) return bytes;
      bytes.append(probe, size_t(n));
      used = bytes.size();
      continue;
    }
    const ssize_t n = ::read(d.fd, bytes.data() + used, bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_on_path("cannot read file", path);
    if (n == 0) bytes.resize(used);
    used += size_t(n);
  }
}

void make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error || fs::is_directory(path)) return;
  errno = error.value();
  fail_on_path("cannot make the directory", path);
}

void sync_dir(const fs::path& dir) { sync_path(dir, O_RDONLY | O_DIRECTORY); }

void sync_tree(const fs::path& dir) {
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.is_directory() && !entry.is_symlink()) sync_dir(entry.path());
    if (entry.is_regular_file()) sync_path(entry.path(), O_RDONLY);
  }
  sync_dir(dir);
}

AtomicFile::AtomicFile(const fs::path& path) {
  if (written_in_place(path)) {
    final_ = path;
    file_ = system_calls().open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC, 0);
    if (file_ < 0) fail_on_path("cannot open file", path);
    return;
  }
  final_ = fs::is_symlink(path) ? fs::weakly_canonical(path) : path;
  make_directories(folder_of(final_));
  do {
    temporary_ = temporary_beside(final_);
    file_ = system_calls().open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file_ < 0 && errno == EEXIST);
  if (file_ >= 0) {
    struct stat status {};  // an existing file keeps its permissions
    if (::stat(final_.c_str(), &status) == 0) (void)::fchmod(file_, status.st_mode & 07777);
    return;
  }
  temporary_.clear();
  fail_on_path("cannot create file", final_);
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) system_calls().close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  if (!write_fully(file_, bytes)) fail_on_path("cannot write file", final_);
}

void AtomicFile::commit() {
  if (!temporary_.empty() && system_calls().fsync(file_) != 0) {
    fail_on_path("cannot flush file", final_);
  }
  if (system_calls().close(std::exchange(file_, -1)) != 0) {
    fail_on_path("cannot close file", final_);
  }
  if (temporary_.empty()) return;
  if (system_calls().rename(temporary_.c_str(), final_.c_str()) != 0) {
    fail_on_path("cannot rename the new file to", final_);
  }
  temporary_.clear();
  sync_dir(folder_of(final_));
}

void write_file_atomic(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

AppendFile::AppendFile(const fs::path& path) : path_(path) {
  make_directories(folder_of(path));
  file_ = system_calls().open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) fail_on_path("cannot open file", path);
}

AppendFile::~AppendFile() { system_calls().close(file_); }

void AppendFile::append(std::string_view bytes) {
  if (!write_fully(file_, bytes)) fail_on_path("cannot write file", path_);
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor d{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (d.fd < 0) fail_on_path("cannot open file", path);
  struct stat status {};
  if (::fstat(d.fd, &status) != 0) fail_on_path("cannot open file", path);
  if (!S_ISREG(status.st_mode)) throw Error("not a regular file", "check the path", path.string());
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, d.fd, 0);
  if (data == MAP_FAILED) fail_on_path("cannot map file", path);
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace podium
