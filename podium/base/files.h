// Files: whole reads, atomic writes, memory maps, sha256. Errors have the kind of the failed system
// call and name the path.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace podium {

namespace fs = std::filesystem;

// The bytes of a file. Throws Error naming the path.
std::string read_file(const fs::path& path);

// A file that appears whole or not at all: what is written goes to a new file beside it, which
// commit() flushes to disk and renames to `path`; a reader sees the old file or the new one,
// whenever the process is killed. Dropped without commit(), it removes what it wrote. Creates
// parent folders; follows a symbolic link to its target; devices and pipes are written in place.
class AtomicFile {
 public:
  explicit AtomicFile(const fs::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  fs::path final_, temporary_;  // temporary_ is empty for what is written in place
  int file_ = -1;
};

void write_file_atomic(const fs::path& path, std::string_view bytes);

// A file that only grows. What append() was given outlives a kill of the process; a kill in the
// middle of it may leave a part.
class AppendFile {
 public:
  explicit AppendFile(const fs::path& path);  // makes it, and its parent folders
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view bytes);

 private:
  fs::path path_;
  int file_;
};

// Makes a directory and its parents, as far as they are missing.
void make_directories(const fs::path& path);

// Flushes every file and directory below `dir`, itself included, to disk.
void sync_tree(const fs::path& dir);
void sync_dir(const fs::path& dir);

fs::path folder_of(const fs::path& path);  // "." for a bare name

// A read-only memory map, movable. An empty file gives an empty span.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const fs::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// Throws Error for the failed system call (errno) on `path`.
[[noreturn]] void fail_on_path(const std::string& what, const fs::path& path);

// Lower-case hexadecimal sha256 (FIPS 180-4).
std::string sha256(std::string_view bytes);
std::string sha256_file(const fs::path& path);  // streaming

}  // namespace podium
