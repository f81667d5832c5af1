#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "podium/artifact/manifest.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/data/dataset.h"

namespace podium::data {
namespace {

using artifact::SafetensorsWriter;

struct Row {  // 24 bytes an event
  uint32_t user, item;
  int64_t time;
  float rating;
};

// Ids to dense numbers in order of first appearance.
class Interner {
 public:
  uint32_t number(const std::string& id) {
    const auto [entry, fresh] = numbers_.try_emplace(id, static_cast<uint32_t>(ids_.size()));
    if (fresh) ids_.push_back(&entry->first);
    return entry->second;
  }
  size_t size() const { return ids_.size(); }
  const std::string& id(uint32_t number) const { return *ids_[number]; }

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<const std::string*> ids_;
};

// The strings of a column with their offsets, kept alive until the file is written.
struct StringBuffer {
  std::vector<int64_t> begin{0};
  std::string text;

  void add(std::string_view value) {
    text += value;
    begin.push_back(static_cast<int64_t>(text.size()));
  }
  void write(SafetensorsWriter& writer, const std::string& name) const {
    writer.add<int64_t>(name + ".begin", begin);
    writer.add<char>(name + ".text", std::span<const char>(text));
  }
};

constexpr uint32_t kDropped = std::numeric_limits<uint32_t>::max();

// Kept numbers in the order of their ids' hashes: an order that tells nothing of time.
std::vector<uint32_t> shuffled(const Interner& interner, const std::vector<uint8_t>& keep) {
  std::vector<std::pair<uint64_t, uint32_t>> order;
  for (uint32_t n = 0; n < interner.size(); ++n) {
    if (keep[n] != 0) order.emplace_back(stable_hash(interner.id(n)), n);
  }
  std::sort(order.begin(), order.end());
  std::vector<uint32_t> numbers;
  for (const auto& [hash, n] : order) numbers.push_back(n);
  return numbers;
}

std::vector<uint32_t> inverse(const std::vector<uint32_t>& numbers, size_t size) {
  std::vector<uint32_t> index(size, kDropped);
  for (size_t i = 0; i < numbers.size(); ++i) index[numbers[i]] = static_cast<uint32_t>(i);
  return index;
}

}  // namespace

struct DatasetBuilder::Impl {
  Interner users, items;
  std::vector<Item> catalog;  // by item number; rows of events alone have only an id
  std::vector<Row> rows;
  uint64_t duplicates = 0;

  uint32_t item_number(const std::string& id) {
    const uint32_t number = items.number(id);
    if (number == catalog.size()) {
      catalog.push_back({id, "", "", "", {}, std::numeric_limits<float>::quiet_NaN()});
    }
    return number;
  }

  // By user, then time; events of one moment keep the order of the source.
  void sort_rows() {
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return a.user != b.user ? a.user < b.user : a.time < b.time;
    });
  }

  // One event of a user, item and time is kept once.
  void drop_duplicates() {
    std::vector<Row> kept;
    kept.reserve(rows.size());
    size_t moment = 0;  // first kept row of this user and time
    for (const Row& row : rows) {
      if (kept.empty() || kept.back().user != row.user || kept.back().time != row.time) {
        moment = kept.size();
      }
      const bool seen = std::any_of(kept.begin() + std::ptrdiff_t(moment), kept.end(),
                                    [&](const Row& other) { return other.item == row.item; });
      if (seen) {
        ++duplicates;
      } else {
        kept.push_back(row);
      }
    }
    rows = std::move(kept);
  }

  void k_core(uint32_t k, std::vector<uint8_t>& keep_user, std::vector<uint8_t>& keep_item) {
    for (bool changed = k > 0; changed;) {
      std::vector<uint32_t> user_count(users.size()), item_count(items.size());
      for (const Row& row : rows) ++user_count[row.user], ++item_count[row.item];
      const size_t before = rows.size();
      std::erase_if(rows, [&](const Row& row) {
        return user_count[row.user] < k || item_count[row.item] < k;
      });
      changed = rows.size() != before;
    }
    keep_user.assign(users.size(), 0);
    keep_item.assign(items.size(), k == 0 ? 1 : 0);
    for (const Row& row : rows) keep_user[row.user] = keep_item[row.item] = 1;
  }
};

DatasetBuilder::DatasetBuilder() : impl_(std::make_unique<Impl>()) {}
DatasetBuilder::~DatasetBuilder() = default;

void DatasetBuilder::add_item(const Item& item) {
  impl_->catalog[impl_->item_number(item.id)] = item;
}

void DatasetBuilder::add_event(const Event& event) {
  const uint32_t user = impl_->users.number(event.user);
  impl_->rows.push_back({user, impl_->item_number(event.item), event.time, event.rating});
}

namespace {

void write_events(const fs::path& dir, const std::vector<Row>& rows,
                  const std::vector<uint32_t>& users, const std::vector<uint32_t>& item_index,
                  size_t user_numbers) {
  std::vector<size_t> first(user_numbers + 1, 0);
  for (const Row& row : rows) ++first[row.user + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<int64_t> user_ptr{0}, time;
  std::vector<uint32_t> item;
  std::vector<float> rating;
  for (const uint32_t user : users) {
    for (size_t r = first[user]; r < first[user + 1]; ++r) {
      item.push_back(item_index[rows[r].item]);
      time.push_back(rows[r].time);
      rating.push_back(rows[r].rating);
    }
    user_ptr.push_back(static_cast<int64_t>(item.size()));
  }
  SafetensorsWriter writer;
  writer.add<int64_t>("user_ptr", user_ptr);
  writer.add<uint32_t>("item", item);
  writer.add<int64_t>("time", time);
  writer.add<float>("rating", rating);
  writer.write(dir / "events.safetensors");
}

void write_catalog(const fs::path& dir, const std::vector<DatasetBuilder::Item>& catalog,
                   const std::vector<uint32_t>& items) {
  StringBuffer id, title, brand, description, category;
  std::vector<int64_t> category_ptr{0};
  std::vector<float> price;
  for (const uint32_t number : items) {
    const DatasetBuilder::Item& item = catalog[number];
    id.add(item.id);
    title.add(item.title);
    brand.add(item.brand);
    description.add(item.description);
    for (const std::string& name : item.categories) category.add(name);
    category_ptr.push_back(static_cast<int64_t>(category.begin.size()) - 1);
    price.push_back(item.price);
  }
  SafetensorsWriter writer;
  id.write(writer, "id");
  title.write(writer, "title");
  brand.write(writer, "brand");
  description.write(writer, "description");
  category.write(writer, "category");
  writer.add<int64_t>("category_ptr", category_ptr);
  writer.add<float>("price", price);
  writer.write(dir / "catalog.safetensors");
}

}  // namespace

Json DatasetBuilder::write(const fs::path& dir, const std::string& name, int k_core,
                           const Json& source) {
  Impl& impl = *impl_;
  impl.sort_rows();
  impl.drop_duplicates();
  std::vector<uint8_t> keep_user, keep_item;
  impl.k_core(static_cast<uint32_t>(std::max(0, k_core)), keep_user, keep_item);
  if (impl.rows.empty()) {
    throw Error("no events are left", "check the input, its columns and --k-core", dir.string());
  }
  const std::vector<uint32_t> users = shuffled(impl.users, keep_user);
  const std::vector<uint32_t> items = shuffled(impl.items, keep_item);
  AtomicDir out(dir);
  write_events(out.path(), impl.rows, users, inverse(items, impl.items.size()), impl.users.size());
  write_catalog(out.path(), impl.catalog, items);
  StringBuffer user_ids;
  for (const uint32_t user : users) user_ids.add(impl.users.id(user));
  SafetensorsWriter writer;
  user_ids.write(writer, "id");
  writer.write(out.path() / "users.safetensors");
  const Json content = {{"name", name},          {"users", users.size()},
                        {"items", items.size()}, {"events", impl.rows.size()},
                        {"k_core", k_core},      {"duplicates_dropped", impl.duplicates},
                        {"source", source}};
  artifact::write_manifest(out.path(), "dataset", kDatasetVersion, content);
  out.commit();
  return content;
}

}  // namespace podium::data
