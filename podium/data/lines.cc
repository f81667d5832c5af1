#include "podium/data/lines.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "podium/base/error.h"

namespace podium::data {
namespace {

constexpr size_t kBuffer = 1 << 18;
constexpr size_t kMaxLine = 16 << 20;

}  // namespace

struct Lines::Gz {
  gzFile file;
  explicit Gz(gzFile opened) : file(opened) {}
  Gz(const Gz&) = delete;
  Gz& operator=(const Gz&) = delete;
  ~Gz() { gzclose_r(file); }
};

Lines::Lines(const fs::path& path) : name_(path.string()) {
  const gzFile file = fs::is_regular_file(path) ? gzopen(path.c_str(), "rb") : nullptr;
  if (file == nullptr) {
    throw Error("cannot read file", "check that it exists and is readable", name_);
  }
  gzbuffer(file, kBuffer);
  gz_ = std::make_unique<Gz>(file);
}

Lines::Lines(std::string name, std::string_view memory) : name_(std::move(name)), memory_(memory) {}

Lines::~Lines() = default;

bool Lines::fill() {
  at_ = 0;
  if (gz_ == nullptr) {
    buffer_ = memory_.substr(0, kBuffer);
    memory_.remove_prefix(buffer_.size());
    return !buffer_.empty();
  }
  buffer_.resize(kBuffer);
  const int n = gzread(gz_->file, buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int code = Z_OK;
  const char* reason = gzerror(gz_->file, &code);
  if (n < 0 || (n == 0 && code == Z_BUF_ERROR)) {
    throw Error(std::string("damaged or truncated gz stream: ") + reason, "fetch the file again",
                name_ + ":" + std::to_string(number_ + 1));
  }
  buffer_.resize(static_cast<size_t>(n));
  bytes_ += buffer_.size();
  return n > 0;
}

bool Lines::next(std::string_view& line) {
  line_.clear();
  overlong_ = false;
  bool any = false;
  for (;;) {
    if (at_ == buffer_.size() && !fill()) break;
    any = true;
    const char* begin = buffer_.data() + at_;
    const size_t left = buffer_.size() - at_;
    const auto* end = static_cast<const char*>(std::memchr(begin, '\n', left));
    const size_t take = end == nullptr ? left : size_t(end - begin);
    const size_t room = kMaxLine - line_.size();
    overlong_ = overlong_ || take > room;
    line_.append(begin, std::min(take, room));
    at_ += take;
    if (end != nullptr) {
      ++at_;
      break;
    }
  }
  if (!any) return false;
  ++number_;
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  line = line_;
  if (number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // byte-order mark
  return true;
}

}  // namespace podium::data
