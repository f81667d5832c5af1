// Bytes of an input: a plain file, .gz, a member of a .zip, standard input, or memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "podium/base/files.h"

namespace podium::data {

// Streaming; not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Up to `room` bytes into `to`; 0 at the end. Throws Error on a damaged or unreadable file.
  virtual size_t read(char* to, size_t room) = 0;
  // Bytes of the file used so far, for progress: of the packed file where it is packed.
  virtual uint64_t position() const = 0;
};

// Spelled as on the command line:
//   FILE              plain or gz, told by its first bytes; pipes are read too
//   FILE.zip          the one file in it; with several, an Error names them
//   FILE.zip:MEMBER   that member
//   a zip is told by its first bytes, whatever its name
//   -                 standard input, plain or gz
std::unique_ptr<ByteSource> open_bytes(const fs::path& path);

// The bytes must outlive the source.
std::unique_ptr<ByteSource> memory_bytes(std::string_view bytes);

// The name that tells what is inside: ratings.csv for /data/ratings.csv.gz and for
// set.zip:sub/ratings.csv; empty for standard input. Of a zip with one file, that file's.
std::string content_name(const fs::path& path);

// The file on disk: set.zip for set.zip:ratings.csv; empty for standard input and for pipes without
// a name, as /dev/stdin and <(...) may be.
fs::path file_on_disk(const fs::path& path);

// Size of that file; 0 when it is no regular file.
uint64_t size_on_disk(const fs::path& path);

}  // namespace podium::data
