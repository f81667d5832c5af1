// Writes small GGUF files byte by byte, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "podium/artifact/gguf_quant.h"

namespace podium::artifact::gguf_bytes {

enum GgufKind : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kFloat, kTruth, kText, kList };
inline constexpr auto kU64 = GgufKind(10), kI64 = GgufKind(11), kDouble = GgufKind(12);

template <class T>
inline std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}
inline std::string word(std::string_view value) { return raw(value.size()) + std::string(value); }
inline std::string list(GgufKind kind, uint64_t count, const std::string& items) {
  return raw<uint32_t>(kind) + raw(count) + items;
}

struct GgufBuilder {
  uint32_t version = 3;
  uint64_t pair_count = 0, tensor_count = 0, alignment = 32;
  std::string pairs = {}, plans = {}, data = {};

  GgufBuilder& pair(std::string_view key, GgufKind kind, const std::string& value) {
    pairs += word(key) + raw<uint32_t>(kind) + value;
    ++pair_count;
    return *this;
  }
  GgufBuilder& plan(std::string_view name, const std::vector<uint64_t>& extents, uint32_t type,
                    uint64_t offset) {
    plans += word(name) + raw(uint32_t(extents.size()));
    for (const uint64_t extent : extents) plans += raw(extent);
    plans += raw(type) + raw(offset);
    ++tensor_count;
    return *this;
  }
  GgufBuilder& tensor(std::string_view name, const std::vector<uint64_t>& extents, GgmlType type,
                      const std::string& bytes) {
    data.resize((data.size() + alignment - 1) / alignment * alignment);
    plan(name, extents, uint32_t(type), data.size());
    data += bytes;
    return *this;
  }
  std::string bytes() const {
    std::string all = "GGUF" + raw(version) + raw(tensor_count) + raw(pair_count) + pairs + plans;
    all.resize((all.size() + alignment - 1) / alignment * alignment);
    return all + data;
  }
};

}  // namespace podium::artifact::gguf_bytes
