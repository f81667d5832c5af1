// safetensors (https://github.com/huggingface/safetensors): 8-byte little-endian header length,
// JSON header {name: {dtype, shape, data_offsets}}, raw row-major data. Read by mmap.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"

namespace podium::artifact {

enum class Dtype { kF32, kF16, kBF16, kI64, kI32, kI16, kU8, kI8, kBool, kForeign };
size_t dtype_size(Dtype dtype);  // 0: kForeign

struct TensorView {
  Dtype dtype;
  std::vector<int64_t> shape;  // every extent is 0 or more; empty: one element
  std::span<const std::byte> bytes;
  std::string type = {};  // the dtype's name in the file; kForeign stands for those that podium
                          // does not compute with (F64, U32, F8_E4M3 and any unknown one)
};

// A file opened by mmap. Every offset and shape is checked at opening: as the format demands, the
// tensors fill the data without holes and without overlap. A malformed or truncated file throws
// Error. Immutable and thread-safe once open.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const fs::path& path);
  // The same of bytes in memory that outlive the object; `where` names them in errors.
  static SafetensorsFile parse(std::span<const std::byte> bytes, std::string where);

  bool has(std::string_view name) const;
  const TensorView& tensor(std::string_view name) const;  // throws Error naming file and tensor
  const std::map<std::string, TensorView, std::less<>>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // The elements of a tensor of exactly this element type (float, int64_t, int32_t, uint32_t as
  // I32, uint16_t as I16/BF16/F16, uint8_t, char as U8), valid while this object lives.
  template <class T>
  std::span<const T> get(std::string_view name) const;

 private:
  SafetensorsFile() = default;
  void read(std::span<const std::byte> bytes);

  MappedFile file_;  // empty when parsed from memory
  std::string where_;
  std::map<std::string, TensorView, std::less<>> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Collects tensors (the data must stay alive until write) and writes them atomically and one after
// the other, without a copy in memory: back to back, wide elements first, then by name; same
// content, same bytes.
class SafetensorsWriter {
 public:
  template <class T>
  void add(std::string name, std::span<const T> data, std::vector<int64_t> shape = {});
  void add_raw(std::string name, Dtype dtype, std::vector<int64_t> shape,
               std::span<const std::byte> bytes);
  void set_metadata(std::string key, std::string value);
  void write(const fs::path& path) const;

 private:
  std::map<std::string, TensorView, std::less<>> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace podium::artifact
