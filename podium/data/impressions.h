// Slates that users saw, with their clicks: a folder of safetensors shards and manifest.json, each
// shard bounded so that writing and reading stream.
//
//   shard columns   slate_ptr I64 [slates + 1], time I64 [slates], user I32 [slates],
//                   item I32 [impressions], clicked U8 [impressions]; where any slate tells them:
//                   propensity F32 [impressions], 0 where it is not told
//
// Indices are those of the Dataset beside it. Impressions of a slate are in the order shown: the
// position of impression i of slate s is i - slate_ptr[s], from 0.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "podium/artifact/safetensors.h"
#include "podium/base/files.h"
#include "podium/data/dataset.h"

namespace podium::data {

// Seconds after a slate within which an event of its user takes what it showed.
inline constexpr int64_t kTakenWithin = 86400;

struct ImpressionSlate {
  UserIndex user;
  int64_t time;                      // unix seconds
  std::span<const ItemIndex> items;  // [shown] by position
  std::span<const uint8_t> clicked;  // [shown] 0 or 1
  // [shown] P(the item was shown at this place, or looked at there), in (0, 1], and 0 where the log
  // does not tell; or empty.
  std::span<const float> propensities = {};
};

// Fills a folder: add() slates, finish() once. Holds one shard in memory.
class ImpressionWriter {
 public:
  // shard: impressions a file, at least.
  explicit ImpressionWriter(fs::path folder, size_t shard = size_t(1) << 24);
  void add(const ImpressionSlate& slate);
  // Writes the last shard and the manifest; returns its content: slates, impressions, clicks,
  // shards.
  Json finish();

 private:
  void flush();

  fs::path folder_;
  size_t shard_, shards_ = 0;
  uint64_t slates_ = 0, impressions_ = 0, clicks_ = 0;
  std::vector<int64_t> slate_ptr_{0}, time_;
  std::vector<uint32_t> user_, item_;
  std::vector<uint8_t> clicked_;
  std::vector<float> propensity_;  // empty while no slate of the shard tells any
};

// Opened by mmap; immutable and thread-safe once open.
class Impressions {
 public:
  // users, items: of the dataset beside it. Throws Error when the folder is missing, newer than
  // this program, or damaged: an index beyond these counts, a click that is neither 0 nor 1, a
  // propensity out of range.
  Impressions(const fs::path& folder, size_t users, size_t items);

  size_t slates() const { return first_.back(); }
  ImpressionSlate slate(size_t number) const;  // users one after another, each user's oldest first

 private:
  std::vector<artifact::SafetensorsFile> files_;
  struct Shard {
    std::span<const int64_t> slate_ptr, time;
    std::span<const uint32_t> user, item;
    std::span<const uint8_t> clicked;
    std::span<const float> propensity;  // or empty
  };
  std::vector<Shard> shards_;
  std::vector<size_t> first_{0};  // [shards + 1] number of each shard's first slate
};

// The slates beside a dataset. Throws Error when it has none.
std::shared_ptr<const Impressions> impressions_of(const Dataset& dataset);

}  // namespace podium::data
