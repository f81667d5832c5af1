// Text of an input as UTF-8, by lines or in pieces.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "podium/base/files.h"
#include "podium/base/progress.h"
#include "podium/data/byte_source.h"
#include "podium/data/text_encoding.h"

namespace podium::data {

// Streaming: memory is one line and a chunk of 256 KiB. Line ends: "\n", "\r\n", and "\r\r\n"
// as text modes spoil it; "\r" in a file whose first line and most others end so; there "\r\n" too.
// Not thread-safe.
// Throws Error when the file cannot be read, is damaged or of a format that podium does not read
// (unread_formats.h), and when Ctrl-C was pressed.
class Lines {
 public:
  struct Options {
    std::string encoding;          // empty: guess
    Progress* progress = nullptr;  // gets the bytes of the file as they are used
  };
  explicit Lines(const fs::path& path) : Lines(path, Options()) {}
  Lines(const fs::path& path, const Options& options);
  Lines(std::string name, std::string_view memory);  // the buffer must outlive it
  ~Lines();
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  // The next line without its end; false at the end of the file. The view lives until the next
  // call. A line longer than 16 MiB comes back cut to its start, with overlong() set.
  bool next(std::string_view& line);
  bool overlong() const { return overlong_; }
  uint64_t number() const { return number_; }  // of the line last returned, from 1
  const std::string& name() const { return name_; }

  // The start of the file, without using it up: at least one chunk, or the whole file. Only
  // before the first next() or skip().
  std::string_view sample();
  bool sample_is_whole() const { return ended_; }

  // What lies ahead, at least one byte, empty at the end; skip() uses it up and counts its lines.
  // For formats that are not made of lines; then number() is the line of the first byte ahead.
  std::string_view ahead();
  void skip(size_t bytes);

  const std::string& encoding() const { return decoder_.encoding(); }
  bool encoding_guessed() const { return decoder_.guessed(); }
  const std::string& encoding_not_used() const { return decoder_.overruled(); }

 private:
  bool fill();  // appends a chunk; false at the end of the file
  bool rest_of_overlong(std::string_view& line);

  std::string name_;
  std::unique_ptr<ByteSource> source_;
  Progress* progress_ = nullptr;
  ToUtf8 decoder_;
  std::string buffer_, chunk_, cut_;
  size_t at_ = 0;  // in buffer_: what is used up
  char line_end_ = '\n';
  bool any_ = false, ended_ = false, overlong_ = false;
  uint64_t number_ = 0, reported_ = 0;
};

inline constexpr const char* kOverlongLine = "line over 16 MiB";  // the reason to reject one

// Up to its first line end.
inline std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

// The reason of a bad line, and the likely cause when a lone "\r" stands in the line.
std::string with_cause(std::string_view reason, std::string_view line);
inline constexpr std::string_view kLoneReturn =
    " (a lone carriage return is in it: the file mixes line ends; mend it with: tr '\\r' '\\n')";

// A line of an input, for messages. file must outlive it.
struct Place {
  Place(const Lines& lines)  // NOLINT(google-explicit-constructor): where a reader stands
      : file(lines.name()), line(lines.number()) {}
  Place(std::string_view name, uint64_t number) : file(name), line(number) {}
  std::string_view file;
  uint64_t line;
};

}  // namespace podium::data
