// GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), the model files of llama.cpp:
// versions 2 and 3, little endian. Magic, counts, metadata, tensor descriptions, aligned data. Read
// by mmap.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "podium/artifact/gguf_quant.h"
#include "podium/base/files.h"

namespace podium::artifact {

// Values of one kind. Integers and floats of every width are held as their widest.
struct GgufArray {
  std::variant<std::vector<uint64_t>, std::vector<int64_t>, std::vector<double>, std::vector<bool>,
               std::vector<std::string_view>, std::vector<GgufArray>>
      items;
};
using GgufValue = std::variant<uint64_t, int64_t, double, bool, std::string_view, GgufArray>;

struct GgufTensor {
  GgmlType type;
  std::vector<int64_t> shape;        // row-major, up to 4 extents: a linear weight is [out, in]
  std::span<const std::byte> bytes;  // whole blocks along the last extent; maybe unaligned
};

// A file opened by mmap. Every count, length, offset and size is checked at opening, and no two
// tensors overlap; a file that is damaged, truncated, too new, or has a tensor of an unsupported
// type throws Error. What it holds in memory is at most twenty times the size of the file's
// header. Strings and tensor bytes are views, valid while this object or the one it was moved to
// lives. Immutable and thread-safe once open.
class GgufFile {
 public:
  explicit GgufFile(const fs::path& path);
  // The same of bytes in memory that outlive the object; `where` names them in errors.
  static GgufFile parse(std::span<const std::byte> bytes, std::string where);

  const std::map<std::string, GgufValue, std::less<>>& metadata() const { return metadata_; }
  // One value; nullopt: no such key. T is uint64_t or int64_t (of any integer that fits), double
  // (of any number), bool or std::string_view. Throws Error when the value is of another kind.
  template <class T>
  std::optional<T> find(std::string_view key) const;
  template <class T>
  T get(std::string_view key) const;  // the same; throws Error when there is no such key
  // The values of an array of uint64_t, int64_t, double, bool or std::string_view; throws Error
  // when there is none, or of another kind.
  template <class T>
  const std::vector<T>& array(std::string_view key) const;

  bool has(std::string_view tensor) const { return tensors_.contains(tensor); }
  const GgufTensor& tensor(std::string_view name) const;  // throws Error naming file and tensor
  const std::map<std::string, GgufTensor, std::less<>>& tensors() const { return tensors_; }

 private:
  GgufFile() = default;
  void read(std::span<const std::byte> bytes);
  [[noreturn]] void missing(std::string_view key, const char* why) const;

  MappedFile file_;  // empty when parsed from memory
  std::string where_;
  std::map<std::string, GgufValue, std::less<>> metadata_;
  std::map<std::string, GgufTensor, std::less<>> tensors_;
};

}  // namespace podium::artifact
