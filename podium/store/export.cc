#include "podium/store/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/impressions.h"
#include "podium/store/log.h"
#include "podium/store/reader.h"

namespace podium::store {
namespace {

// The log's end, of all users and items; without a bound on a user's events.
struct Since {
  struct User {
    std::vector<serving::LiveEvent> events = {};
    Check check = {};
  };
  std::map<std::string, User, std::less<>> users;
  std::map<std::string, serving::LiveItem, std::less<>> items;
  std::unordered_map<std::string, Offset> erased;  // digests of users; when, the last time

  void apply(const Row& row) {
    const Change change = change_of(row);
    if (const auto* event = std::get_if<Event>(&change)) {
      users[event->user].events.push_back(event->event);
    } else if (const auto* erase = std::get_if<EraseUser>(&change)) {
      Offset& when = erased[erase->user];
      when = std::max(when, row.offset);
      std::erase_if(users, [&](const auto& user) { return digest_of(user.first) == erase->user; });
    } else if (const auto* gone = std::get_if<RemoveEvents>(&change)) {
      serving::remove_of(users[gone->user].events, gone->item, gone->type);
    } else if (const auto* item = std::get_if<PutItem>(&change)) {
      items[item->item.id] = item->item;
    } else if (const auto* removed = std::get_if<RemoveItem>(&change)) {
      items.erase(removed->id);
    }
    const auto user = checked_in(row);
    if (user && *user != kNobody) users[std::string(*user)].check.add(row);
  }

  // True when what the log held of the user at that offset was erased.
  bool erased_after(std::string_view user, Offset offset) const {
    if (erased.empty()) return false;
    const auto when = erased.find(digest_of(user));
    return when != erased.end() && when->second > offset;
  }

  // Of one user alone, as the log has it now.
  void read_again(Reader& reader, const std::string& user) {
    users.erase(user);
    for (const Row& row : reader.history_of(user)) apply(row);
  }
};

// What changed between the pieces of the log, and what is damaged in it: whose rows are not as
// their check says is read again, at one moment. Throws Error (kCorrupt) when that does not help.
void compare(const fs::path& file, Since& since) {
  constexpr size_t kPiece = 10000;
  Reader reader(file);
  since.items.clear();
  since.erased.clear();
  reader.items([&](const Row& row) { since.apply(row); });
  std::vector<std::string> other;
  std::string from;
  auto at = since.users.begin();
  while (true) {
    const auto checks = reader.users_from(from, kPiece);
    for (const auto& [user, check] : checks) {
      for (; at != since.users.end() && at->first < user; ++at) other.push_back(at->first);
      const bool known = at != since.users.end() && at->first == user;
      if (!known || !at->second.check.same_rows(check)) other.push_back(user);
      if (known) ++at;
    }
    if (checks.empty()) break;
    from = checks.back().first + '\0';
  }
  for (; at != since.users.end(); ++at) other.push_back(at->first);
  for (const std::string& user : other) since.read_again(reader, user);
}

void add_catalogue(const data::Dataset& dataset, const Since& since,
                   data::DatasetBuilder& builder) {
  for (data::ItemIndex item = 0; item < data::ItemIndex(dataset.items()); ++item) {
    data::CatalogItem row{.id = std::string(dataset.item_id(item)),
                          .title = std::string(dataset.title(item)),
                          .brand = std::string(dataset.brand(item)),
                          .description = std::string(dataset.description(item)),
                          .price = dataset.price(item)};
    for (const auto category : dataset.categories(item)) row.categories.emplace_back(category);
    builder.add_item(row);
  }
  for (const auto& [id, item] : since.items) {
    builder.add_item({.id = id,
                      .title = item.title,
                      .brand = item.brand,
                      .description = item.description,
                      .categories = item.categories,
                      .price = item.price});
  }
}

// The moment from which on events are left out.
int64_t end_of_training(const Since& since, size_t hold_out) {
  std::vector<int64_t> times;
  for (const auto& [id, user] : since.users) {
    for (const serving::LiveEvent& event : user.events) times.push_back(event.time);
  }
  const size_t most = std::min(hold_out, times.size() / 5);
  if (most == 0) return std::numeric_limits<int64_t>::max();
  const auto first = times.end() - std::ptrdiff_t(most);
  std::nth_element(times.begin(), first, times.end());
  return *first;
}

struct Live {
  size_t events = 0, held_out = 0;
};

Live add_events(const data::Dataset& dataset, const Since& since, int64_t end,
                data::DatasetBuilder& builder) {
  for (data::UserIndex user = 0; user < data::UserIndex(dataset.users()); ++user) {
    const std::string_view id = dataset.user_id(user);
    if (since.erased_after(id, 0)) continue;
    const auto items = dataset.items_of(user);
    const auto times = dataset.times_of(user);
    const auto ratings = dataset.ratings_of(user);
    for (size_t i = 0; i < items.size(); ++i) {
      builder.add_event({id, dataset.item_id(items[i]), times[i], ratings[i]});
    }
  }
  Live live;
  for (const auto& [id, user] : since.users) {
    for (const serving::LiveEvent& event : user.events) {
      if (event.time >= end) {
        ++live.held_out;
        continue;
      }
      builder.add_event({id, event.item, event.time, 1});
      ++live.events;
    }
  }
  return live;
}

// What users were shown before `end`. The log's slates are read once more, which takes less memory
// than to keep them from the first time.
class Slates {
 public:
  Slates(const Since& since, int64_t end, data::DatasetBuilder& builder)
      : since_(since), end_(end), builder_(builder) {}

  // Up to the change `last`; the events tell the clicks.
  size_t add_log(const fs::path& file, Offset last) {
    size_t added = 0;
    read_log(file, [&](const Row& row) {
      if (row.kind != kShown || row.offset > last || row.time.value_or(0) >= end_) return;
      if (since_.erased_after(row.id, row.offset)) return;
      add(std::get<Impression>(change_of(row)));
      ++added;
    });
    return added;
  }

  // Those that a bundle was trained on, but for what the log has, too.
  void add_trained_on(const data::Dataset& dataset) {
    if (!fs::exists(dataset.dir() / "impressions")) return;
    const auto all = data::impressions_of(dataset);
    for (size_t s = 0; s < all->slates(); ++s) {
      const data::ImpressionSlate slate = all->slate(s);
      const std::string_view user = dataset.user_id(slate.user);
      if (added_.contains(key(user, slate.time)) || since_.erased_after(user, 0)) continue;
      std::vector<std::string_view> items;
      for (const data::ItemIndex item : slate.items) items.push_back(dataset.item_id(item));
      builder_.add_shown({user, slate.time, items, slate.clicked, slate.propensities});
    }
  }

 private:
  static uint64_t key(std::string_view user, int64_t time) {
    return stable_hash(fmt::format("{} {}", time, user));
  }

  void add(const Impression& shown) {
    std::unordered_set<std::string_view> seen;
    std::vector<std::string_view> items;  // each once, at its first place
    std::vector<float> propensities;
    for (size_t i = 0; i < shown.items.size(); ++i) {
      if (!seen.insert(shown.items[i]).second) continue;
      items.push_back(shown.items[i]);
      if (!shown.propensities.empty()) propensities.push_back(float(shown.propensities.at(i)));
    }
    if (items.empty()) return;
    builder_.add_shown({shown.user, shown.time, items, {}, propensities});
    added_.insert(key(shown.user, shown.time));
  }

  const Since& since_;
  const int64_t end_;
  data::DatasetBuilder& builder_;
  std::unordered_set<uint64_t> added_;  // key() of the log's
};

}  // namespace

Json write_dataset(const fs::path& state, const serving::Bundle& bundle, const fs::path& out,
                   size_t hold_out) {
  if (!bundle.timed()) {
    throw Error("the bundle's events have no times, and those of the log have",
                "train on events with times first", bundle.dir().string());
  }
  const fs::path place = artifact::check_output(out, "dataset", {state, bundle.dir()});
  Since since;
  Offset last = 0;
  const bool checked = read_log(state / kLogFile, [&](const Row& row) {
    since.apply(row);
    last = row.offset;
  });
  if (checked) compare(state / kLogFile, since);
  data::DatasetBuilder builder;
  add_catalogue(bundle.dataset(), since, builder);
  const int64_t end = end_of_training(since, hold_out);
  const Live live = add_events(bundle.dataset(), since, end, builder);
  Slates slates(since, end, builder);
  const size_t live_slates = slates.add_log(state / kLogFile, last);
  slates.add_trained_on(bundle.dataset());
  const Json source = {{"bundle", bundle.dir().string()}, {"log_offset", last}};
  Json content = builder.write(place, bundle.dataset().name(), 0, source);
  content["live_events"] = live.events;
  content["held_out"] = live.held_out;
  content["live_slates"] = live_slates;
  content["live_items"] = since.items.size();
  return content;
}

}  // namespace podium::store
