#include "podium/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "podium/base/error.h"

namespace podium {
namespace {

[[noreturn]] void fail(const std::string& what, const fs::path& path) {
  throw Error(what + ": " + std::strerror(errno), "check the path, its permissions and free space",
              path.string());
}

// Closes a descriptor on every way out.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

void sync_path(const fs::path& path, int flags) {
  const Descriptor d{::open(path.c_str(), flags | O_CLOEXEC)};
  if (d.fd >= 0) ::fsync(d.fd);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) {
    throw Error("cannot read file", "check that it exists and is readable", path.string());
  }
  std::string bytes(fs::is_regular_file(path) ? fs::file_size(path) : 0, '\0');
  in.read(bytes.data(), std::streamsize(bytes.size()));
  bytes.resize(size_t(in.gcount()));
  bytes.append(std::istreambuf_iterator<char>(in), {});  // a pipe, or what has grown meanwhile
  return bytes;
}

void write_file_atomic(const fs::path& path, std::string_view bytes) {
  fs::create_directories(folder_of(path));
  fs::path temporary = path;
  temporary += ".tmp" + std::to_string(::getpid());
  {
    const Descriptor d{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (d.fd < 0) fail("cannot create file", temporary);
    while (!bytes.empty()) {
      const ssize_t n = ::write(d.fd, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        ::unlink(temporary.c_str());
        fail("cannot write file", temporary);
      }
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    if (::fsync(d.fd) != 0) fail("cannot flush file", temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail("cannot rename file", path);
  sync_path(folder_of(path), O_RDONLY | O_DIRECTORY);
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor d{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (d.fd < 0) fail("cannot open file", path);
  struct stat status {};
  if (::fstat(d.fd, &status) != 0 || !S_ISREG(status.st_mode)) fail("not a regular file", path);
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, d.fd, 0);
  if (data == MAP_FAILED) fail("cannot map file", path);
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

AtomicDir::AtomicDir(fs::path final_path) : final_(std::move(final_path)) {
  final_ = final_.lexically_normal();
  if (!final_.has_filename()) final_ = final_.parent_path();
  temporary_ = final_;
  temporary_ += ".partial";
  fs::remove_all(temporary_);  // what a killed run left
  fs::create_directories(temporary_);
}

AtomicDir::~AtomicDir() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void AtomicDir::commit() {
  for (const auto& entry : fs::recursive_directory_iterator(temporary_)) {
    if (entry.is_regular_file()) sync_path(entry.path(), O_RDONLY);
  }
  fs::path old = final_;
  old += ".old";
  fs::remove_all(old);
  if (fs::exists(final_)) fs::rename(final_, old);
  fs::rename(temporary_, final_);
  committed_ = true;
  sync_path(folder_of(final_), O_RDONLY | O_DIRECTORY);
  fs::remove_all(old);
}

}  // namespace podium
