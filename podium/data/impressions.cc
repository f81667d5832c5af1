#include "podium/data/impressions.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/artifact/manifest.h"
#include "podium/base/error.h"

namespace podium::data {
namespace {

constexpr int kVersion = 1;
constexpr const char* kKind = "impressions";

fs::path shard_path(const fs::path& folder, size_t number) {
  return folder / fmt::format("impressions-{:05}.safetensors", number);
}

[[noreturn]] void damaged(const std::string& what, const fs::path& path) {
  throw Error(ErrorKind::kCorrupt, "damaged impressions: " + what, "write the dataset again",
              path.string());
}

template <class T>
bool all_below(std::span<const T> values, size_t end) {
  return std::all_of(values.begin(), values.end(), [&](T value) { return value < end; });
}

}  // namespace

ImpressionWriter::ImpressionWriter(fs::path folder, size_t shard)
    : folder_(std::move(folder)), shard_(shard) {
  fs::create_directories(folder_);
}

void ImpressionWriter::add(const ImpressionSlate& slate) {
  PODIUM_CHECK(slate.items.size() == slate.clicked.size());
  if (!slate.propensities.empty()) {
    PODIUM_CHECK(slate.items.size() == slate.propensities.size());
    propensity_.resize(item_.size());
    propensity_.insert(propensity_.end(), slate.propensities.begin(), slate.propensities.end());
  }
  user_.push_back(slate.user);
  time_.push_back(slate.time);
  item_.insert(item_.end(), slate.items.begin(), slate.items.end());
  clicked_.insert(clicked_.end(), slate.clicked.begin(), slate.clicked.end());
  slate_ptr_.push_back(int64_t(item_.size()));
  clicks_ += uint64_t(std::count(slate.clicked.begin(), slate.clicked.end(), 1));
  if (item_.size() >= shard_) flush();
}

void ImpressionWriter::flush() {
  artifact::SafetensorsWriter writer;
  writer.add<int64_t>("slate_ptr", slate_ptr_);
  writer.add<int64_t>("time", time_);
  writer.add<uint32_t>("user", user_);
  writer.add<uint32_t>("item", item_);
  writer.add<uint8_t>("clicked", clicked_);
  if (!propensity_.empty()) {
    propensity_.resize(item_.size());
    writer.add<float>("propensity", propensity_);
  }
  writer.write(shard_path(folder_, shards_++));
  slates_ += time_.size();
  impressions_ += item_.size();
  slate_ptr_.resize(1);
  time_.clear();
  user_.clear();
  item_.clear();
  clicked_.clear();
  propensity_.clear();
}

Json ImpressionWriter::finish() {
  if (!time_.empty()) flush();
  const Json content = {
      {"slates", slates_}, {"impressions", impressions_}, {"clicks", clicks_}, {"shards", shards_}};
  artifact::write_manifest(folder_, kKind, kVersion, content);
  return content;
}

Impressions::Impressions(const fs::path& folder, size_t users, size_t items) {
  const Json content = artifact::read_manifest(folder, kKind, kVersion);
  const size_t shards = content.value("shards", size_t(0));
  for (size_t s = 0; s < shards; ++s) {
    const fs::path path = shard_path(folder, s);
    const auto& file = files_.emplace_back(path);
    const Shard shard = {
        file.get<int64_t>("slate_ptr"),
        file.get<int64_t>("time"),
        file.get<uint32_t>("user"),
        file.get<uint32_t>("item"),
        file.get<uint8_t>("clicked"),
        file.has("propensity") ? file.get<float>("propensity") : std::span<const float>()};
    const auto& ptr = shard.slate_ptr;
    if (ptr.size() != shard.time.size() + 1 || shard.user.size() != shard.time.size() ||
        shard.item.size() != shard.clicked.size() || ptr.front() != 0 ||
        (file.has("propensity") && shard.propensity.size() != shard.item.size()) ||
        size_t(ptr.back()) != shard.item.size() || !std::is_sorted(ptr.begin(), ptr.end())) {
      damaged("columns do not fit each other", path);
    }
    if (!all_below(shard.user, users) || !all_below(shard.item, items)) {
      damaged("a user or an item that the dataset does not hold", path);
    }
    if (!all_below(shard.clicked, 2)) damaged("a click is 0 or 1", path);
    if (!std::ranges::all_of(shard.propensity, [](float p) { return p >= 0 && p <= 1; })) {
      damaged("a propensity lies between 0 and 1", path);
    }
    shards_.push_back(shard);
    first_.push_back(first_.back() + shard.time.size());
  }
}

ImpressionSlate Impressions::slate(size_t number) const {
  PODIUM_CHECK(number < slates());
  const auto after = std::upper_bound(first_.begin(), first_.end(), number);
  const size_t s = size_t(after - first_.begin()) - 1, row = number - first_[s];
  const Shard& shard = shards_[s];
  const auto begin = size_t(shard.slate_ptr[row]), end = size_t(shard.slate_ptr[row + 1]);
  const auto of_slate = [&](auto column) { return column.subspan(begin, end - begin); };
  return {shard.user[row], shard.time[row], of_slate(shard.item), of_slate(shard.clicked),
          shard.propensity.empty() ? shard.propensity : of_slate(shard.propensity)};
}

std::shared_ptr<const Impressions> impressions_of(const Dataset& dataset) {
  const fs::path folder = dataset.dir() / "impressions";
  if (!fs::exists(folder)) {
    throw Error("the data set has no impressions: what users were shown, and what they clicked",
                "import logs that hold them, or choose another split.protocol",
                dataset.dir().string());
  }
  return std::make_shared<const Impressions>(folder, dataset.users(), dataset.items());
}

}  // namespace podium::data
