// Files: whole reads, atomic writes, memory maps, temporary directories, sha256.
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

// Writes to a sibling temporary file, flushes it to disk and renames it over `path`: a reader sees
// the old file or the new one, whenever the process is killed. Creates parent folders.
void write_file_atomic(const fs::path& path, std::string_view bytes);

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

// A directory that appears whole or not at all: fill path(), then commit() renames it to its final
// name (an older directory of that name is replaced, and survives a kill before the rename).
// Dropped without commit(), it removes what it wrote.
class AtomicDir {
 public:
  explicit AtomicDir(fs::path final_path);
  ~AtomicDir();
  AtomicDir(const AtomicDir&) = delete;
  AtomicDir& operator=(const AtomicDir&) = delete;

  const fs::path& path() const { return temporary_; }
  void commit();

 private:
  fs::path final_, temporary_;
  bool committed_ = false;
};

// Lower-case hexadecimal sha256 (FIPS 180-4).
std::string sha256(std::string_view bytes);
std::string sha256_file(const fs::path& path);  // streaming

}  // namespace podium
