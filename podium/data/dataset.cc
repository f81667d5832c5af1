#include "podium/data/dataset.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "podium/artifact/manifest.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"

namespace podium::data {

// Strings laid end to end: text[begin[i], begin[i + 1]).
struct StringColumn {
  std::span<const int64_t> begin;
  std::span<const char> text;

  std::string_view operator[](size_t i) const {
    return {text.data() + begin[i], size_t(begin[i + 1] - begin[i])};
  }
  size_t size() const { return begin.size() - 1; }
};

namespace {

constexpr const char* kEvents = "events.safetensors";
constexpr const char* kCatalog = "catalog.safetensors";
constexpr const char* kUsers = "users.safetensors";
constexpr int64_t kLatest = int64_t(1) << 53;  // differences of times are exact as doubles

using artifact::SafetensorsFile;

[[noreturn]] void damaged(const fs::path& dir, std::string_view what) {
  throw Error(ErrorKind::kCorrupt, fmt::format("damaged dataset: {}", what), "import it again",
              dir.string());
}

template <class Offset>
void check_offsets(std::span<const Offset> offsets, size_t end, const fs::path& dir) {
  if (offsets.empty() || offsets.front() != 0 || size_t(offsets.back()) != end ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    damaged(dir, "offsets are not ascending");
  }
}

StringColumn open_strings(const SafetensorsFile& file, const std::string& name, size_t count,
                          const fs::path& dir) {
  const StringColumn column{file.get<int64_t>(name + ".begin"), file.get<char>(name + ".text")};
  check_offsets(column.begin, column.text.size(), dir);
  if (!simdjson::validate_utf8(column.text.data(), column.text.size())) {
    damaged(dir, name + " is not UTF-8");
  }
  if (column.size() != count) damaged(dir, name + " has the wrong length");
  return column;
}

std::vector<uint32_t> order_by_id(const StringColumn& ids, const fs::path& dir) {
  std::vector<uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return ids[a] < ids[b]; });
  if (!order.empty() && ids[order[0]].empty()) damaged(dir, "an id is empty");
  const auto twice = std::adjacent_find(order.begin(), order.end(),
                                        [&](uint32_t a, uint32_t b) { return ids[a] == ids[b]; });
  if (twice != order.end()) damaged(dir, "an id occurs twice");
  return order;
}

std::optional<uint32_t> find_id(const StringColumn& ids, const std::vector<uint32_t>& order,
                                std::string_view id) {
  const auto found = std::lower_bound(order.begin(), order.end(), id,
                                      [&](uint32_t i, std::string_view x) { return ids[i] < x; });
  if (found == order.end() || ids[*found] != id) return std::nullopt;
  return *found;
}

}  // namespace

struct Dataset::Impl {
  Impl(const fs::path& from, bool verify)
      : dir(from),
        manifest(artifact::read_manifest(dir, "dataset", kDatasetVersion, verify)),
        events(dir / kEvents),
        catalog(dir / kCatalog),
        users(dir / kUsers) {
    name = manifest.value("name", "");
    user_ptr = events.get<int64_t>("user_ptr");
    item = events.get<uint32_t>("item");
    time = events.get<int64_t>("time");
    rating = events.get<float>("rating");
    check_offsets(user_ptr, item.size(), dir);
    if (time.size() != item.size() || rating.size() != item.size()) {
      damaged(dir, "event columns differ in length");
    }
    user_id = open_strings(users, "id", user_ptr.size() - 1, dir);
    price = catalog.get<float>("price");
    const size_t n = price.size();
    item_id = open_strings(catalog, "id", n, dir);
    title = open_strings(catalog, "title", n, dir);
    brand = open_strings(catalog, "brand", n, dir);
    description = open_strings(catalog, "description", n, dir);
    category_ptr = catalog.get<int64_t>("category_ptr");
    if (category_ptr.size() != n + 1) damaged(dir, "categories have the wrong length");
    check_offsets(category_ptr, size_t(category_ptr.empty() ? 0 : category_ptr.back()), dir);
    category = open_strings(catalog, "category", size_t(category_ptr.back()), dir);
    check_events();
    user_order = order_by_id(user_id, dir);
    item_order = order_by_id(item_id, dir);
  }

  void check_events() const {
    if (item.empty()) damaged(dir, "there are no events");
    for (const uint32_t i : item) {
      if (i >= price.size()) damaged(dir, "an event names an item outside the catalogue");
    }
    for (const float value : rating) {
      if (!std::isfinite(value)) damaged(dir, "a rating is not a number");
    }
    for (const int64_t value : time) {
      if (value < -kLatest || value > kLatest) damaged(dir, "a time is out of range");
    }
    for (size_t u = 0; u + 1 < user_ptr.size(); ++u) {
      if (!std::is_sorted(time.begin() + user_ptr[u], time.begin() + user_ptr[u + 1])) {
        damaged(dir, "a user's events are not in order of time");
      }
    }
  }

  template <class T>
  std::span<const T> of_user(std::span<const T> column, UserIndex user) const {
    PODIUM_CHECK(user + 1 < user_ptr.size());
    return column.subspan(size_t(user_ptr[user]), size_t(user_ptr[user + 1] - user_ptr[user]));
  }

  fs::path dir;
  Json manifest;
  SafetensorsFile events, catalog, users;
  std::string name;
  std::span<const int64_t> user_ptr, time, category_ptr;
  std::span<const ItemIndex> item;
  std::span<const float> rating, price;
  StringColumn user_id, item_id, title, brand, description, category;
  std::vector<uint32_t> user_order, item_order;  // by id, for look-up
};

Dataset::Dataset(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;
Dataset::~Dataset() = default;

Dataset Dataset::open(const fs::path& dir, bool verify) {
  return Dataset(std::make_unique<Impl>(dir, verify));
}

const fs::path& Dataset::dir() const { return impl_->dir; }
const std::string& Dataset::name() const { return impl_->name; }
size_t Dataset::users() const { return impl_->user_ptr.size() - 1; }
size_t Dataset::items() const { return impl_->price.size(); }
size_t Dataset::events() const { return impl_->item.size(); }
std::string_view Dataset::user_id(UserIndex user) const { return impl_->user_id[user]; }
std::string_view Dataset::item_id(ItemIndex item) const { return impl_->item_id[item]; }

std::optional<UserIndex> Dataset::find_user(std::string_view id) const {
  return find_id(impl_->user_id, impl_->user_order, id);
}

std::optional<ItemIndex> Dataset::find_item(std::string_view id) const {
  return find_id(impl_->item_id, impl_->item_order, id);
}

std::span<const ItemIndex> Dataset::items_of(UserIndex user) const {
  return impl_->of_user(impl_->item, user);
}
std::span<const int64_t> Dataset::times_of(UserIndex user) const {
  return impl_->of_user(impl_->time, user);
}
std::span<const float> Dataset::ratings_of(UserIndex user) const {
  return impl_->of_user(impl_->rating, user);
}

std::string_view Dataset::title(ItemIndex item) const { return impl_->title[item]; }
std::string_view Dataset::brand(ItemIndex item) const { return impl_->brand[item]; }
std::string_view Dataset::description(ItemIndex item) const { return impl_->description[item]; }
float Dataset::price(ItemIndex item) const { return impl_->price[item]; }

std::vector<std::string_view> Dataset::categories(ItemIndex item) const {
  std::vector<std::string_view> names;
  for (int64_t c = impl_->category_ptr[item]; c < impl_->category_ptr[item + 1]; ++c) {
    names.push_back(impl_->category[size_t(c)]);
  }
  return names;
}

std::string Dataset::item_text(ItemIndex item) const {
  std::string text(title(item));
  const auto append = [&](std::string_view part) {
    if (part.empty()) return;
    if (!text.empty()) text += ' ';
    text += part;
  };
  append(brand(item));
  for (const std::string_view name : categories(item)) append(name);
  append(description(item));
  return text;
}

bool Dataset::has_text(ItemIndex item) const {
  return !title(item).empty() || !description(item).empty() ||
         impl_->category_ptr[item] != impl_->category_ptr[item + 1];
}

const Json& Dataset::manifest() const { return impl_->manifest; }

}  // namespace podium::data
