// Vectors of texts that were encoded before, by content: unchanged text is never encoded again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"

namespace podium::text {

// One file for each encoder, FOLDER/IDENTITY.safetensors:
//   keys     U8  [texts, 32]   sha256 of each text, ascending
//   vectors  F32 [texts, dim]
//   metadata podium_text_vectors "1", encoder (its identity), sha256 (of keys, then vectors)
// A file that is damaged, or of another version, is told on standard error, and not used: the next
// save() replaces it. Not thread-safe. Of two processes that save at once, one's texts are lost.
class VectorCache {
 public:
  VectorCache(const fs::path& folder, std::string identity, size_t dim);

  // The text's vector [dim], empty where there is none; valid until put().
  std::span<const float> find(std::string_view text) const;
  void put(std::string_view text, std::span<const float> vector);
  void save() const;  // atomic; nothing where no text was put
  size_t size() const { return vectors_.size(); }

 private:
  using Key = std::array<uint8_t, 32>;
  static Key key_of(std::string_view text);
  void read();

  fs::path path_;
  std::string identity_;
  size_t dim_;
  bool changed_ = false;
  std::map<Key, std::vector<float>> vectors_;
};

}  // namespace podium::text
