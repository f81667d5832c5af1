#include "podium/data/byte_source.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/data/unread_formats.h"

namespace podium::data {
namespace {

constexpr unsigned kGzBuffer = 1 << 18;

// zlib's gz files pass bytes that are not packed through as they are.
class GzSource : public ByteSource {
 public:
  GzSource(gzFile file, std::string name) : file_(file), name_(std::move(name)) {
    gzbuffer(file_, kGzBuffer);
  }
  ~GzSource() override { gzclose_r(file_); }
  GzSource(const GzSource&) = delete;
  GzSource& operator=(const GzSource&) = delete;

  size_t read(char* to, size_t room) override {
    const int n = gzread(file_, to, static_cast<unsigned>(room));
    int code = Z_OK;
    const char* reason = gzerror(file_, &code);
    if (n < 0) stop_if_interrupted();  // what broke off the read
    if (n < 0 || (n == 0 && code == Z_BUF_ERROR)) {
      throw Error(fmt::format("damaged or truncated file: {}", reason), "fetch the file again",
                  name_);
    }
    return static_cast<size_t>(n);
  }
  uint64_t position() const override {
    return static_cast<uint64_t>(std::max<z_off_t>(0, gzoffset(file_)));
  }

 private:
  gzFile file_;
  std::string name_;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  size_t read(char* to, size_t room) override {
    const size_t n = std::min(room, bytes_.size() - at_);
    std::copy_n(bytes_.data() + at_, n, to);
    at_ += n;
    return n;
  }
  uint64_t position() const override { return at_; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

struct CloseZip {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseMember {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};

// The members of a zip file that are files.
class Zip {
 public:
  explicit Zip(const std::string& file) : name_(file) {
    int code = 0;
    archive_.reset(zip_open(file.c_str(), ZIP_RDONLY, &code));
    if (archive_ == nullptr) throw Error("cannot read this zip file", "fetch it again", name_);
    const zip_int64_t entries = zip_get_num_entries(archive_.get(), 0);
    for (zip_int64_t i = 0; i < entries; ++i) {
      const char* entry = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
      const std::string name = entry == nullptr ? "" : entry;
      if (name.empty() || name.ends_with('/') || name.starts_with("__MACOSX/")) continue;
      members_.emplace_back(name, static_cast<zip_uint64_t>(i));
    }
  }

  // The member of this name; of no name, the only one.
  std::pair<std::string, zip_uint64_t> find(const std::string& member) const {
    std::string names;
    for (const auto& [name, index] : members_) {
      if (name == member) return {name, index};
      if (member.empty() && (name == "xl/workbook.xml" || name == "META-INF/manifest.xml")) {
        refuse_workbook(name_);
      }
      if (index <= 20) names += (names.empty() ? "" : ", ") + name;
    }
    if (member.empty() && members_.size() == 1) return members_[0];
    if (members_.empty()) throw Error("this zip file holds no file", "", name_);
    throw Error(member.empty() ? std::string("this zip file holds several files")
                               : fmt::format("this zip file holds no {}", member),
                fmt::format("name one as {}:MEMBER; it holds {}", name_, names), name_);
  }
  zip_t* archive() const { return archive_.get(); }

 private:
  std::string name_;
  std::unique_ptr<zip_t, CloseZip> archive_;
  std::vector<std::pair<std::string, zip_uint64_t>> members_;
};

class ZipSource : public ByteSource {
 public:
  ZipSource(const std::string& file, const std::string& member) : name_(file), zip_(file) {
    const zip_uint64_t index = zip_.find(member).second;
    member_.reset(zip_fopen_index(zip_.archive(), index, 0));
    if (member_ == nullptr) {
      throw Error(fmt::format("cannot unpack: {}", zip_strerror(zip_.archive())),
                  "unpack it with another program and import the files", name_);
    }
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(zip_.archive(), index, 0, &stat) == 0 && stat.size > 0) {
      packed_share_ = double(stat.comp_size) / double(stat.size);
    }
  }

  size_t read(char* to, size_t room) override {
    const zip_int64_t n = zip_fread(member_.get(), to, room);
    if (n < 0) throw Error("damaged zip file", "fetch it again", name_);
    unpacked_ += static_cast<uint64_t>(n);
    return static_cast<size_t>(n);
  }
  uint64_t position() const override { return uint64_t(double(unpacked_) * packed_share_); }

 private:
  std::string name_;
  Zip zip_;
  std::unique_ptr<zip_file_t, CloseMember> member_;
  uint64_t unpacked_ = 0;
  double packed_share_ = 1;
};

bool is_zip(const std::string& file) {
  char start[4] = {};
  std::error_code failed;
  if (!fs::is_regular_file(file, failed)) return false;  // a pipe's first bytes would be lost
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rb"),
                                                           &std::fclose);
  return in != nullptr && std::fread(start, 1, 4, in.get()) == 4 &&
         (std::memcmp(start, "PK\3\4", 4) == 0 || std::memcmp(start, "PK\5\6", 4) == 0);
}

// FILE.zip:MEMBER taken apart, or FILE:MEMBER of a zip of any name; the member is empty where none
// is named.
struct ZipName {
  std::string file, member;
};
ZipName zip_name(const fs::path& path) {
  const std::string text = path.string();
  std::error_code failed;
  if (fs::exists(path, failed)) return {text, ""};
  for (size_t colon = text.find(':'); colon != std::string::npos;
       colon = text.find(':', colon + 1)) {
    const std::string file = text.substr(0, colon);
    if (file.ends_with(".zip") || is_zip(file)) return {file, text.substr(colon + 1)};
  }
  return {text, ""};
}

}  // namespace

std::unique_ptr<ByteSource> open_bytes(const fs::path& path) {
  if (path == "-") return std::make_unique<GzSource>(gzdopen(dup(0), "rb"), "standard input");
  const ZipName name = zip_name(path);
  if (!name.member.empty() || is_zip(name.file)) {
    return std::make_unique<ZipSource>(name.file, name.member);
  }
  const gzFile file = fs::is_directory(path) ? nullptr : gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    throw Error(fs::is_directory(path) ? "this is a folder, not a file" : "cannot read file",
                "check that it exists and is readable", path.string());
  }
  return std::make_unique<GzSource>(file, path.string());
}

std::unique_ptr<ByteSource> memory_bytes(std::string_view bytes) {
  return std::make_unique<MemorySource>(bytes);
}

std::string content_name(const fs::path& path) {
  if (path == "-") return "";
  const ZipName zip = zip_name(path);
  std::string inside = zip.member;
  if (inside.empty() && is_zip(zip.file)) inside = Zip(zip.file).find("").first;
  std::string name = fs::path(inside.empty() ? zip.file : inside).filename().string();
  for (const std::string_view packed : {".gz", ".zip"}) {
    if (name.ends_with(packed)) name.resize(name.size() - packed.size());
  }
  return name;
}

fs::path file_on_disk(const fs::path& path) {
  if (path == "-") return {};
  const fs::path file = zip_name(path).file;
  std::error_code failed;
  const bool unnamed = fs::exists(file, failed) && fs::canonical(file, failed).empty();
  return unnamed ? fs::path() : file;  // /dev/stdin and <(...) may be pipes without a name
}

uint64_t size_on_disk(const fs::path& path) {
  std::error_code failed;
  const fs::path file = file_on_disk(path);
  if (file.empty() || !fs::is_regular_file(file, failed)) return 0;
  const uint64_t size = fs::file_size(file, failed);
  return failed ? 0 : size;
}

}  // namespace podium::data
