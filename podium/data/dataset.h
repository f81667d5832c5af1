// Dataset: the catalogue and the users' interactions, on disk as safetensors columns and
// manifest.json, opened by mmap.
//
// Invariants: a user's events are in chronological order (ties keep the order of the source);
// indices are dense; ids are unique, valid UTF-8. Immutable and thread-safe once open.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"

namespace podium::data {

inline constexpr int kDatasetVersion = 1;  // of the format on disk

using ItemIndex = uint32_t;
using UserIndex = uint32_t;

class Dataset {
 public:
  // Throws Error when the directory is missing, differs from its hashes, is damaged or newer than
  // this program. verify: reads every file once; a bundle compares all its parts itself.
  static Dataset open(const fs::path& dir, bool verify = true);
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;
  ~Dataset();

  const std::string& name() const;
  size_t users() const;
  size_t items() const;
  size_t events() const;

  std::string_view user_id(UserIndex user) const;
  std::string_view item_id(ItemIndex item) const;
  std::optional<UserIndex> find_user(std::string_view id) const;
  std::optional<ItemIndex> find_item(std::string_view id) const;

  // One user's events, oldest first.
  std::span<const ItemIndex> items_of(UserIndex user) const;
  std::span<const int64_t> times_of(UserIndex user) const;  // unix seconds; event number if none
  std::span<const float> ratings_of(UserIndex user) const;  // 1 where the source has none

  // Catalogue text; empty when unknown. Price is NaN when unknown.
  std::string_view title(ItemIndex item) const;
  std::string_view brand(ItemIndex item) const;
  std::string_view description(ItemIndex item) const;
  std::vector<std::string_view> categories(ItemIndex item) const;  // general to special
  float price(ItemIndex item) const;
  // Title, brand, categories and description joined by spaces, for encoders.
  std::string item_text(ItemIndex item) const;
  bool has_text(ItemIndex item) const;

  const fs::path& dir() const;  // that it was opened from

  const Json& manifest() const;  // counts, source, import summary

 private:
  struct Impl;
  explicit Dataset(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace podium::data
