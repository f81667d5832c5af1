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

enum class Dtype { kF32, kF16, kBF16, kI64, kI32, kI16, kU8, kI8, kBool };
size_t dtype_size(Dtype dtype);

struct TensorView {
  Dtype dtype;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

// A file opened by mmap. Every offset and shape is checked at opening; a malformed or truncated
// file throws Error. Immutable and thread-safe once open.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const fs::path& path);

  bool has(std::string_view name) const;
  const TensorView& tensor(std::string_view name) const;  // throws Error naming file and tensor
  const std::map<std::string, TensorView, std::less<>>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // The elements of a tensor of exactly this element type (float, int64_t, int32_t, uint32_t as
  // I32, uint16_t as I16/BF16/F16, uint8_t, char as U8), valid while this object lives.
  template <class T>
  std::span<const T> get(std::string_view name) const;

 private:
  fs::path path_;
  MappedFile file_;
  std::map<std::string, TensorView, std::less<>> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Collects tensors (the data must stay alive until write) and writes them atomically, back
// to back, wide elements first, then by name; same content, same bytes.
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
