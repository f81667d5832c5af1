#include "podium/data/lines.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "podium/data/unread_formats.h"

namespace podium::data {
namespace {

constexpr size_t kChunk = 1 << 18;
constexpr size_t kMaxLine = 16 << 20;
constexpr size_t kCut = 1 << 10;  // what is kept of a longer line

// True when the first line ends in "\r" without "\n", and most lines do. A "\r" in quotes ends no
// line.
bool ends_in_cr(std::string_view start) {
  const size_t first = start.find('\r');
  if (first == std::string_view::npos || start.find('\n') < first) return false;
  const size_t next = start.find_first_not_of('\r', first);
  if (next != std::string_view::npos && start[next] == '\n') return false;
  const auto feeds = std::count(start.begin(), start.end(), '\n');
  if (feeds == 0) return true;
  const auto quotes = std::count(start.begin(), start.begin() + std::ptrdiff_t(first), '"');
  return quotes % 2 == 0 && std::count(start.begin(), start.end(), '\r') > feeds;
}

}  // namespace

Lines::Lines(const fs::path& path, const Options& options)
    : name_(path == "-" ? "standard input" : path.string()),
      source_(open_bytes(path)),
      progress_(options.progress),
      decoder_(options.encoding) {}

Lines::Lines(std::string name, std::string_view memory)
    : name_(std::move(name)), source_(memory_bytes(memory)) {}

Lines::~Lines() = default;

bool Lines::fill() {
  if (ended_) return false;
  stop_if_interrupted();
  chunk_.resize(kChunk);
  size_t got = 0;
  while (got < kChunk && !ended_) {  // pipes give little at a time
    const size_t n = source_->read(chunk_.data() + got, kChunk - got);
    got += n;
    ended_ = n == 0;
  }
  chunk_.resize(got);
  const uint64_t position = source_->position();
  if (progress_ != nullptr && position > reported_) progress_->add(position - reported_);
  reported_ = std::max(reported_, position);
  if (!any_) refuse_unread(chunk_, name_);
  decoder_.convert(chunk_, ended_);
  if (!any_ && !chunk_.empty()) {
    any_ = true;
    line_end_ = ends_in_cr(chunk_) ? '\r' : '\n';
  }
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_ += chunk_;
  return !chunk_.empty() || fill();
}

bool Lines::next(std::string_view& line) {
  overlong_ = false;
  size_t searched = 0;  // bytes from at_ on without a line end
  for (;;) {
    const char* begin = buffer_.data() + at_;
    const size_t left = buffer_.size() - at_;
    const void* end =
        left == searched ? nullptr : std::memchr(begin + searched, line_end_, left - searched);
    if (end != nullptr) {
      const auto length = static_cast<size_t>(static_cast<const char*>(end) - begin);
      if (length > kMaxLine) return rest_of_overlong(line);
      line = {begin, length};
      at_ += length + 1;
      break;
    }
    searched = left;
    if (searched > kMaxLine) return rest_of_overlong(line);
    if (fill()) continue;
    if (left == 0) return false;
    line = {buffer_.data() + at_, left};
    at_ = buffer_.size();
    break;
  }
  ++number_;
  while (line_end_ == '\n' && line.ends_with('\r')) line.remove_suffix(1);
  if (line_end_ == '\r' && line.starts_with('\n')) line.remove_prefix(1);
  return true;
}

std::string with_cause(std::string_view reason, std::string_view line) {
  std::string text(reason);
  for (size_t at = 0; (at = line.find('\r', at)) != std::string_view::npos;) {
    at = line.find_first_not_of('\r', at);
    if (at == std::string_view::npos) break;
    if (line[at] != '\n') return text.append(kLoneReturn);
  }
  return text;
}

bool Lines::rest_of_overlong(std::string_view& line) {
  cut_ = buffer_.substr(at_, kCut);
  for (;;) {
    const size_t end = buffer_.find(line_end_, at_);
    at_ = end == std::string::npos ? buffer_.size() : end + 1;
    if (end != std::string::npos || !fill()) break;
  }
  ++number_;
  overlong_ = true;
  line = cut_;
  return true;
}

std::string_view Lines::sample() {
  if (buffer_.empty()) fill();
  return buffer_;
}

std::string_view Lines::ahead() {
  number_ = std::max<uint64_t>(number_, 1);
  if (at_ == buffer_.size()) fill();
  return std::string_view(buffer_).substr(at_);
}

void Lines::skip(size_t bytes) {
  const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(at_);
  number_ += static_cast<uint64_t>(
      std::count(begin, begin + static_cast<std::ptrdiff_t>(bytes), line_end_));
  at_ += bytes;
}

}  // namespace podium::data
