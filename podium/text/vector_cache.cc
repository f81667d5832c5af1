#include "podium/text/vector_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "podium/artifact/checks.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"

namespace podium::text {
namespace {

constexpr const char* kVersionKey = "podium_text_vectors";
constexpr const char* kVersion = "1";  // raise with the format

std::string digest_of(std::span<const uint8_t> keys, std::span<const float> vectors) {
  const std::string_view words[] = {
      {reinterpret_cast<const char*>(keys.data()), keys.size()},
      {reinterpret_cast<const char*>(vectors.data()), vectors.size_bytes()}};
  return sha256(sha256(words[0]) + sha256(words[1]));
}

uint8_t half_byte(char digit) { return uint8_t(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

}  // namespace

VectorCache::VectorCache(const fs::path& folder, std::string identity, size_t dim)
    : path_(folder / (identity + ".safetensors")), identity_(std::move(identity)), dim_(dim) {
  if (!fs::exists(path_)) return;
  try {
    read();
  } catch (const Error& error) {
    vectors_.clear();
    log_warning(fmt::format("the cache of text vectors {} is not used and will be made again: {}",
                            path_.string(), error.message()));
  }
}

VectorCache::Key VectorCache::key_of(std::string_view text) {
  const std::string hex = sha256(text);
  Key key;
  for (size_t i = 0; i < key.size(); ++i) {
    key[i] = uint8_t(half_byte(hex[2 * i]) << 4 | half_byte(hex[2 * i + 1]));
  }
  return key;
}

void VectorCache::read() {
  const artifact::SafetensorsFile file(path_);
  const auto keys = file.get<uint8_t>("keys");
  const auto vectors = file.get<float>("vectors");
  const auto says = [&](const char* key, const std::string& value) {
    const auto found = file.metadata().find(key);
    return found != file.metadata().end() && found->second == value;
  };
  const size_t texts = keys.size() / sizeof(Key);
  artifact::check_sound(says(kVersionKey, kVersion), "it is of another version", path_);
  artifact::check_sound(says("encoder", identity_), "it is another encoder's", path_);
  artifact::check_sound(keys.size() == texts * sizeof(Key) && vectors.size() == texts * dim_,
                        "its sizes do not fit one another", path_);
  artifact::check_sound(says("sha256", digest_of(keys, vectors)), "it is damaged", path_);
  for (size_t i = 0; i < texts; ++i) {
    Key key;
    std::memcpy(key.data(), keys.data() + i * sizeof(Key), sizeof(Key));
    const auto vector = vectors.subspan(i * dim_, dim_);
    vectors_.emplace_hint(vectors_.end(), key, std::vector<float>(vector.begin(), vector.end()));
  }
}

std::span<const float> VectorCache::find(std::string_view text) const {
  const auto found = vectors_.find(key_of(text));
  return found == vectors_.end() ? std::span<const float>() : found->second;
}

void VectorCache::put(std::string_view text, std::span<const float> vector) {
  PODIUM_CHECK(vector.size() == dim_);
  vectors_.insert_or_assign(key_of(text), std::vector<float>(vector.begin(), vector.end()));
  changed_ = true;
}

void VectorCache::save() const {
  if (!changed_) return;
  std::vector<uint8_t> keys;
  std::vector<float> vectors;
  for (const auto& [key, vector] : vectors_) {
    keys.insert(keys.end(), key.begin(), key.end());
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }
  const auto texts = int64_t(vectors_.size());
  artifact::SafetensorsWriter writer;
  writer.add<uint8_t>("keys", keys, {texts, int64_t(sizeof(Key))});
  writer.add<float>("vectors", vectors, {texts, int64_t(dim_)});
  writer.set_metadata(kVersionKey, kVersion);
  writer.set_metadata("encoder", identity_);
  writer.set_metadata("sha256", digest_of(keys, vectors));
  writer.write(path_);
}

}  // namespace podium::text
