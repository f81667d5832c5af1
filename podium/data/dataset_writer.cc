#include "podium/data/dataset_writer.h"

#include <algorithm>
#include <numeric>

#include "podium/artifact/safetensors.h"
#include "podium/data/impressions.h"

namespace podium::data {
namespace {

using artifact::SafetensorsWriter;

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

}  // namespace

Numbering shuffled(const Interner& ids, const std::vector<uint8_t>& keep) {
  Numbering kept;
  for (uint32_t n = 0; n < ids.size(); ++n) {
    if (keep[n] != 0) kept.number.push_back(n);
  }
  std::sort(kept.number.begin(), kept.number.end(), [&](uint32_t a, uint32_t b) {
    return ids.hash(a) != ids.hash(b) ? ids.hash(a) < ids.hash(b) : a < b;
  });
  kept.index.assign(ids.size(), kDropped);
  for (size_t i = 0; i < kept.number.size(); ++i) {
    kept.index[kept.number[i]] = static_cast<uint32_t>(i);
  }
  return kept;
}

void write_events(const fs::path& dir, const std::vector<EventRow>& rows, const Numbering& users,
                  const Numbering& items) {
  std::vector<size_t> first(users.index.size() + 1, 0);
  for (const EventRow& row : rows) ++first[row.user + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<int64_t> user_ptr{0}, time;
  std::vector<uint32_t> item;
  std::vector<float> rating;
  for (const uint32_t user : users.number) {
    for (size_t r = first[user]; r < first[user + 1]; ++r) {
      item.push_back(items.index[rows[r].item]);
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

void write_catalog(const fs::path& dir, const std::vector<CatalogItem>& catalog,
                   const Numbering& items) {
  StringBuffer id, title, brand, description, category;
  std::vector<int64_t> category_ptr{0};
  std::vector<float> price;
  for (const uint32_t number : items.number) {
    const CatalogItem& item = catalog[number];
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

void write_users(const fs::path& dir, const Interner& ids, const Numbering& users) {
  StringBuffer user_ids;
  for (const uint32_t user : users.number) user_ids.add(ids.id(user));
  SafetensorsWriter writer;
  user_ids.write(writer, "id");
  writer.write(dir / "users.safetensors");
}

Json write_shown(const fs::path& dir, const ShownRows& shown, const Numbering& users,
                 const Numbering& items) {
  std::vector<size_t> order;
  for (size_t s = 0; s < shown.user.size(); ++s) {
    if (users.index[shown.user[s]] != kDropped) order.push_back(s);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const uint32_t user_a = users.index[shown.user[a]], user_b = users.index[shown.user[b]];
    return user_a != user_b ? user_a < user_b : shown.time[a] < shown.time[b];
  });
  ImpressionWriter writer(dir / "impressions");
  std::vector<ItemIndex> kept;
  std::vector<uint8_t> clicked;
  std::vector<float> propensities;
  for (const size_t s : order) {
    kept.clear();
    clicked.clear();
    propensities.clear();
    for (size_t i = shown.ptr[s]; i < shown.ptr[s + 1]; ++i) {
      const uint32_t item = items.index[shown.item[i]];
      if (item == kDropped) continue;
      kept.push_back(item);
      clicked.push_back(shown.clicked[i]);
      if (i < shown.propensity.size()) propensities.push_back(shown.propensity[i]);
    }
    if (kept.empty()) continue;
    propensities.resize(propensities.empty() ? 0 : kept.size());
    writer.add({users.index[shown.user[s]], shown.time[s], kept, clicked, propensities});
  }
  return writer.finish();
}

}  // namespace podium::data
