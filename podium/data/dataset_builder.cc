#include "podium/data/dataset_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "podium/artifact/manifest.h"
#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/data/dataset.h"
#include "podium/data/dataset_writer.h"
#include "podium/data/shown_clicks.h"
#include "podium/data/whole_number_ids.h"

namespace podium::data {
namespace {

using Item = DatasetBuilder::Item;

// Sets `into` to `from` unless `from` says nothing; true when one value replaced another.
template <class T>
bool set_known(T& into, const T& from) {
  if (from.empty()) return false;
  const bool conflict = !into.empty() && into != from;
  into = from;
  return conflict;
}

bool set_known(float& into, float from) {
  if (std::isnan(from)) return false;
  const bool conflict = !std::isnan(into) && into != from;
  into = from;
  return conflict;
}

// True when a field changed from one value to another.
bool merge(Item& into, const Item& from) {
  bool conflict = set_known(into.title, from.title);
  conflict |= set_known(into.brand, from.brand);
  conflict |= set_known(into.description, from.description);
  conflict |= set_known(into.categories, from.categories);
  conflict |= set_known(into.price, from.price);
  return conflict;
}

bool has_text(const Item& item) {
  return !item.title.empty() || !item.description.empty() || !item.categories.empty();
}

// The rows of each item: row[begin[item] .. begin[item + 1]).
struct RowsOfItems {
  std::vector<size_t> begin, row;

  RowsOfItems(const std::vector<EventRow>& rows, size_t items)
      : begin(items + 1), row(rows.size()) {
    for (const EventRow& r : rows) ++begin[r.item + 1];
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    std::vector<size_t> next(begin.begin(), begin.end() - 1);
    for (size_t r = 0; r < rows.size(); ++r) row[next[rows[r].item]++] = r;
  }
};

// Peels off users and items with fewer than k events, one at a time, in linear time.
class Core {
 public:
  Core(std::vector<EventRow>& rows, size_t users, size_t items)
      : rows_(rows),
        by_item_(rows, items),
        first_(users + 1),
        degree_(users + items),
        alive_(rows.size(), 1) {
    for (const EventRow& r : rows) {
      ++first_[r.user + 1];
      ++degree_[r.user];
      ++degree_[users + r.item];
    }
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
  }

  void keep(size_t k) {
    const size_t users = first_.size() - 1;
    std::vector<size_t> falling;
    for (size_t node = 0; node < degree_.size(); ++node) {
      if (degree_[node] < k) falling.push_back(node);
    }
    const auto drop = [&](size_t row, size_t other) {
      if (alive_[row] == 0) return;
      alive_[row] = 0;
      if (degree_[other]-- == k) falling.push_back(other);
    };
    while (!falling.empty()) {
      const size_t node = falling.back();
      falling.pop_back();
      if (node < users) {
        for (size_t r = first_[node]; r < first_[node + 1]; ++r) drop(r, users + rows_[r].item);
      } else {
        const size_t item = node - users;
        for (size_t i = by_item_.begin[item]; i < by_item_.begin[item + 1]; ++i) {
          drop(by_item_.row[i], rows_[by_item_.row[i]].user);
        }
      }
    }
    size_t kept = 0;
    for (size_t r = 0; r < rows_.size(); ++r) {
      if (alive_[r] != 0) rows_[kept++] = rows_[r];
    }
    rows_.resize(kept);
  }

 private:
  std::vector<EventRow>& rows_;  // by user
  RowsOfItems by_item_;
  std::vector<size_t> first_;   // [users + 1] rows of each user
  std::vector<size_t> degree_;  // [users + items] events left
  std::vector<uint8_t> alive_;  // [rows]
};

}  // namespace

struct DatasetBuilder::Impl {
  Interner users, items;
  std::vector<Item> catalog;       // by item number; items of events alone have only an id
  std::vector<uint8_t> described;  // by item number: a catalogue row named it
  std::vector<EventRow> rows, clicks;
  ShownRows shown;
  uint64_t catalogue_rows = 0, merged = 0, conflicts = 0;

  uint32_t item_number(std::string_view id) {
    const uint32_t number = items.number(id);
    if (number == catalog.size()) {
      catalog.emplace_back().id = id;
      described.push_back(0);
    }
    return number;
  }

  // 10.0 and 10 become one id where both occur; returns how many ids went. keep: cleared for them.
  size_t unify_items(std::vector<uint8_t>& keep) {
    const SameIds same = same_whole_numbers(items);
    keep.assign(items.size(), 1);
    if (same.changed == 0) return 0;
    for (auto i = static_cast<uint32_t>(catalog.size()); i < items.size(); ++i) {
      catalog.emplace_back().id = items.id(i);
      described.push_back(0);
    }
    for (uint32_t i = 0; i < items.size(); ++i) {
      const uint32_t to = same.number[i];
      if (to == i) continue;
      keep[i] = 0;
      merge(catalog[to], catalog[i]);
      described[to] |= std::exchange(described[i], uint8_t{0});
    }
    for (auto* group : {&rows, &clicks}) {
      for (EventRow& row : *group) row.item = same.number[row.item];
    }
    for (uint32_t& item : shown.item) item = same.number[item];
    return same.changed;
  }

  size_t unify_users() {
    const SameIds same = same_whole_numbers(users);
    if (same.changed == 0) return 0;
    for (auto* group : {&rows, &clicks}) {
      for (EventRow& row : *group) row.user = same.number[row.user];
    }
    for (uint32_t& user : shown.user) user = same.number[user];
    return same.changed;
  }

  // By user, then time; events of one moment keep the order of the source.
  void sort_rows() {
    std::vector<size_t> next(users.size() + 1);  // where each user's next row goes
    for (const EventRow& row : rows) ++next[row.user + 1];
    std::partial_sum(next.begin(), next.end(), next.begin());
    std::vector<EventRow> sorted(rows.size());
    for (const EventRow& row : rows) sorted[next[row.user]++] = row;
    const auto earlier = [](const EventRow& a, const EventRow& b) {
      return std::tie(a.time, a.nanos) < std::tie(b.time, b.nanos);
    };
    auto begin = sorted.begin();
    for (size_t user = 0; user < users.size(); ++user) {
      const auto end = sorted.begin() + std::ptrdiff_t(next[user]);
      if (!std::is_sorted(begin, end, earlier)) std::stable_sort(begin, end, earlier);
      begin = end;
    }
    rows = std::move(sorted);
  }

  // Clicks become events, unless they are; returns how many are. Rows are sorted, and stay so.
  size_t add_clicks() {
    if (clicks.empty()) return 0;
    const std::vector<EventRow> left = clicks_without_event(rows, clicks);
    rows.insert(rows.end(), left.begin(), left.end());
    sort_rows();
    return clicks.size() - left.size();
  }

  // Keeps one event of a user, item and time; returns how many fell. Rows are sorted.
  size_t drop_duplicates() {
    std::vector<size_t> last_moment(items.size(), 0);  // in which the item was met, from 1
    size_t moment = 0, kept = 0;
    for (size_t r = 0; r < rows.size(); ++r) {
      if (r == 0 || !rows[r].same_moment(rows[r - 1])) ++moment;
      if (std::exchange(last_moment[rows[r].item], moment) == moment) continue;
      rows[kept++] = rows[r];
    }
    const size_t dropped = rows.size() - kept;
    rows.resize(kept);
    return dropped;
  }

  size_t repeats() const {
    std::vector<uint32_t> last_user(items.size(), kDropped);
    return size_t(std::count_if(rows.begin(), rows.end(), [&](const EventRow& row) {
      return std::exchange(last_user[row.item], row.user) == row.user;
    }));
  }

  std::vector<uint8_t> bought() const {
    std::vector<uint8_t> found(items.size(), 0);
    for (const EventRow& row : rows) found[row.item] = 1;
    return found;
  }

  std::vector<uint8_t> active() const {
    std::vector<uint8_t> found(users.size(), 0);
    for (const EventRow& row : rows) found[row.user] = 1;
    return found;
  }

  // What the catalogue and the events have to do with each other. Rows are final; `before`: what
  // was bought before k_core.
  Json catalogue_counts(const std::vector<uint8_t>& before) const {
    const std::vector<uint8_t> now = bought();
    size_t items_described = 0, described_bought = 0, items_bought = 0, with_text = 0;
    for (size_t i = 0; i < now.size(); ++i) {
      items_described += described[i];
      described_bought += described[i] & before[i];
      items_bought += now[i];
      with_text += now[i] != 0 && has_text(catalog[i]) ? 1 : 0;
    }
    return {{"catalogue_rows", catalogue_rows},
            {"catalogue_items", items_described},
            {"catalogue_merged", merged},
            {"catalogue_conflicts", conflicts},
            {"catalogue_items_bought", described_bought},
            {"items_bought", items_bought},
            {"items_bought_with_text", with_text}};
  }
};

DatasetBuilder::DatasetBuilder() : impl_(std::make_unique<Impl>()) {}
DatasetBuilder::~DatasetBuilder() = default;

void DatasetBuilder::add_item(const Item& item) {
  const uint32_t number = impl_->item_number(item.id);
  ++impl_->catalogue_rows;
  impl_->merged += impl_->described[number];
  impl_->conflicts += merge(impl_->catalog[number], item) ? 1 : 0;
  impl_->described[number] = 1;
}

void DatasetBuilder::add_event(const Event& event) {
  const uint32_t user = impl_->users.number(event.user);
  impl_->rows.push_back(
      {event.time, event.nanos, user, impl_->item_number(event.item), event.rating});
}

void DatasetBuilder::set_price(std::string_view item, float price) {
  impl_->conflicts += set_known(impl_->catalog[impl_->item_number(item)].price, price) ? 1 : 0;
}

std::span<EventRow> DatasetBuilder::events_from(size_t first) {
  return std::span(impl_->rows).subspan(first);
}

void DatasetBuilder::add_click(std::string_view user, std::string_view item, int64_t time) {
  const uint32_t number = impl_->users.number(user);
  impl_->clicks.push_back({time, 0, number, impl_->item_number(item), 1});
}

void DatasetBuilder::add_shown(const Shown& shown) {
  const size_t items = shown.items.size();
  PODIUM_CHECK(shown.clicked.empty() || shown.clicked.size() == items);
  PODIUM_CHECK(shown.propensities.empty() || shown.propensities.size() == items);
  ShownRows& rows = impl_->shown;
  if (shown.clicked.empty()) rows.untold.push_back(rows.user.size());
  if (!shown.propensities.empty()) {
    rows.propensity.resize(rows.item.size());
    rows.propensity.insert(rows.propensity.end(), shown.propensities.begin(),
                           shown.propensities.end());
  }
  rows.user.push_back(impl_->users.number(shown.user));
  rows.time.push_back(shown.time);
  for (const std::string_view item : shown.items) rows.item.push_back(impl_->item_number(item));
  rows.clicked.insert(rows.clicked.end(), shown.clicked.begin(), shown.clicked.end());
  rows.clicked.resize(rows.item.size());
  rows.ptr.push_back(rows.item.size());
}

Json DatasetBuilder::write(const fs::path& dir, const std::string& name, int k_core,
                           const Json& source) {
  Impl& impl = *impl_;
  const size_t given = impl.rows.size() + impl.clicks.size();
  if (given == 0) throw Error("there are no events", "check the input and its columns");
  std::vector<uint8_t> keep_item;
  const size_t same_items = impl.unify_items(keep_item), same_users = impl.unify_users();
  stop_if_interrupted();
  impl.sort_rows();
  stop_if_interrupted();
  clicks_from_events(impl.rows, impl.shown);
  const size_t clicks_with_event = impl.add_clicks();
  const size_t duplicates = impl.drop_duplicates();
  const std::vector<uint8_t> bought = impl.bought();
  if (k_core > 0) {
    Core(impl.rows, impl.users.size(), impl.items.size()).keep(size_t(k_core));
    keep_item = impl.bought();
  }
  if (impl.rows.empty()) {
    throw Error(fmt::format("--k-core {} drops every one of {} events", k_core, given),
                "lower it, or leave it out");
  }
  const Numbering users = shuffled(impl.users, impl.active());
  const Numbering items = shuffled(impl.items, keep_item);
  artifact::AtomicDir out(dir, "dataset");
  write_events(out.path(), impl.rows, users, items);
  write_catalog(out.path(), impl.catalog, items);
  write_users(out.path(), impl.users, users);
  Json content = {{"name", name},
                  {"users", users.number.size()},
                  {"items", items.number.size()},
                  {"events", impl.rows.size()},
                  {"k_core", k_core},
                  {"duplicates_dropped", duplicates},
                  {"repeated_events", impl.repeats()},
                  {"item_ids_unified", same_items},
                  {"user_ids_unified", same_users},
                  {"source", source}};
  content.update(impl.catalogue_counts(bought));
  if (!impl.shown.user.empty()) content.update(write_shown(out.path(), impl.shown, users, items));
  if (!impl.clicks.empty()) content["clicks_with_event"] = clicks_with_event;
  stop_if_interrupted();
  artifact::write_manifest(out.path(), "dataset", kDatasetVersion, content);
  out.commit();
  return content;
}

}  // namespace podium::data
