// Lines of a text file, gz or plain, one at a time; or of a buffer, for tests and fuzzers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "podium/base/files.h"

namespace podium::data {

// Streaming: memory is one line. A line longer than 16 MiB comes back cut, with overlong() set.
// Not thread-safe. Throws Error when the file cannot be read or its gz stream is damaged.
class Lines {
 public:
  explicit Lines(const fs::path& path);
  Lines(std::string name, std::string_view memory);  // the buffer must outlive it
  ~Lines();
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  // The next line without its end ("\n" or "\r\n"); false at the end of the file.
  bool next(std::string_view& line);
  bool overlong() const { return overlong_; }
  uint64_t number() const { return number_; }  // of the line last returned, from 1
  const std::string& name() const { return name_; }
  uint64_t bytes_read() const { return bytes_; }

 private:
  struct Gz;
  bool fill();

  std::string name_;
  std::unique_ptr<Gz> gz_;
  std::string_view memory_;
  std::string buffer_, line_;
  size_t at_ = 0;
  uint64_t number_ = 0, bytes_ = 0;
  bool overlong_ = false;
};

}  // namespace podium::data
