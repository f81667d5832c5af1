#include "podium/store/log.h"

#include <fmt/format.h>

#include <cmath>
#include <ctime>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/serving/request_json.h"

namespace podium::store {
namespace {

constexpr int64_t kApplication = 0x706F6431;  // "pod1", in the file's header
constexpr int64_t kVersion = 2;               // 2: impressions
constexpr int64_t kKeysKept = 7 * 86400;      // seconds

enum Kind : int64_t { kEvent = 1, kErase = 2, kPut = 3, kRemove = 4, kShown = 5 };

constexpr const char* kSetUp = R"(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  PRAGMA mmap_size = 0;
)";
constexpr const char* kSchema = R"(
  CREATE TABLE log (
    offset INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,      -- of the user or, of kinds 3 and 4, of the item
    item TEXT,             -- of an event; of kind 3 the item as JSON, of 5 what was shown
    time INTEGER           -- of an event or an impression, unix seconds
  ) STRICT;
  CREATE INDEX log_id ON log (id);
  CREATE TABLE keys (
    key TEXT PRIMARY KEY,  -- digests: of the key, of its changes
    changes TEXT NOT NULL,
    offset INTEGER NOT NULL,
    time INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
)";

// The same database, checked to be ours and set up.
Database& prepared(Database& database) {
  const int64_t application = database.number("PRAGMA application_id");
  const int64_t version = database.number("PRAGMA user_version");
  const bool empty = database.number("SELECT count(*) FROM sqlite_schema") == 0;
  if (application != kApplication && !(empty && application == 0)) {
    throw Error("the file is a database of another program", "choose another directory",
                database.file().string());
  }
  if (version > kVersion) {
    throw Error(fmt::format("the store is of version {}, this podium reads {}", version, kVersion),
                "use the podium that wrote it, or a newer one", database.file().string());
  }
  database.run(kSetUp);
  if (!empty && version == kVersion) return database;
  Transaction transaction(database);  // a kill leaves the file as it was, or whole
  if (empty) database.run(kSchema);
  const std::string ours =
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", kApplication, kVersion);
  database.run(ours.c_str());
  transaction.commit();
  return database;
}

std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string body_of(const Impression& shown) {
  Json json = {{"items", shown.items}};
  if (!shown.propensities.empty()) json["propensities"] = shown.propensities;
  if (!shown.request.empty()) json["request"] = shown.request;
  return line(json);
}

Impression impression_of(std::string_view user, std::string_view body, int64_t time) {
  const Json json = Json::parse(body);
  Impression shown{.user = std::string(user), .time = time, .items = json.at("items")};
  if (json.contains("propensities"))
    shown.propensities = json["propensities"].get<std::vector<double>>();
  if (json.contains("request")) shown.request = json["request"].get<std::string>();
  return shown;
}

std::string body_of(const serving::LiveItem& item) {
  Json json = {{"title", item.title},
               {"brand", item.brand},
               {"description", item.description},
               {"categories", item.categories}};
  if (!std::isnan(item.price)) json["price"] = item.price;
  if (!item.fields.empty()) json["fields"] = serving::fields_json(item.fields);
  return line(json);
}

serving::LiveItem item_of(std::string_view id, std::string_view body) {
  const Json json = Json::parse(body);
  serving::LiveItem item{.id = std::string(id),
                         .title = json.at("title"),
                         .brand = json.at("brand"),
                         .description = json.at("description"),
                         .categories = json.at("categories")};
  if (json.contains("price")) item.price = json.at("price");
  if (const auto wrong = serving::read_fields(json, item)) throw Error(wrong->message);
  return item;
}

Change change_of(const Statement& row) {
  const std::string_view id = row.text(2), item = row.text(3);
  switch (row.number(1)) {
    case kEvent:
      return Event{std::string(id), {std::string(item), row.number(4)}};
    case kErase:
      return EraseUser{std::string(id)};
    case kPut:
      return PutItem{item_of(id, item)};
    case kRemove:
      return RemoveItem{std::string(id)};
    case kShown:
      return impression_of(id, item, row.number(4));
    default:
      throw Error(fmt::format("a change of kind {}", row.number(1)));
  }
}

// What a repeated append is compared by.
std::string digest_of(std::span<const Change> changes) {
  std::string text;
  const auto put = [&](std::string_view part) {
    text += fmt::format("{}:", part.size());
    text += part;
  };
  for (const Change& change : changes) {
    put(std::to_string(change.index()));
    if (const auto* event = std::get_if<Event>(&change)) {
      put(event->user), put(event->event.item), put(std::to_string(event->event.time));
    } else if (const auto* erase = std::get_if<EraseUser>(&change)) {
      put(erase->user);
    } else if (const auto* item = std::get_if<PutItem>(&change)) {
      put(item->item.id), put(body_of(item->item));
    } else if (const auto* shown = std::get_if<Impression>(&change)) {
      put(shown->user), put(body_of(*shown)), put(std::to_string(shown->time));
    } else {
      put(std::get<RemoveItem>(change).id);
    }
  }
  return sha256(text);
}

}  // namespace

std::string digest_of(std::string_view user) { return sha256(fmt::format("user:{}", user)); }

Log::Log(const fs::path& file)
    : database_(file),
      insert_(prepared(database_), "INSERT INTO log (kind, id, item, time) VALUES (?, ?, ?, ?)"),
      forget_(database_, "DELETE FROM log WHERE id = ? AND kind IN (1, 5)"),
      find_key_(database_, "SELECT changes, offset FROM keys WHERE key = ?"),
      insert_key_(database_, "INSERT INTO keys (key, changes, offset, time) VALUES (?, ?, ?, ?)") {
  Statement(database_, "DELETE FROM keys WHERE time < ?")
      .bind(1, std::time(nullptr) - kKeysKept)
      .run();
}

void Log::read(const std::function<void(Offset, const Change&)>& take) {
  Statement rows(database_, "SELECT offset, kind, id, item, time FROM log ORDER BY offset");
  while (rows.step()) {
    const Offset offset = rows.number(0);
    try {
      take(offset, change_of(rows));
    } catch (const std::exception& problem) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("change {} of the store cannot be read: {}", offset, problem.what()),
                  "bring the file back from a backup", database_.file().string());
    }
  }
}

Offset Log::write(const Change& change) {
  if (const auto* event = std::get_if<Event>(&change)) {
    insert_.bind(1, kEvent).bind(2, event->user).bind(3, event->event.item);
    insert_.bind(4, event->event.time).run();
  } else if (const auto* erase = std::get_if<EraseUser>(&change)) {
    forget_.bind(1, erase->user).run();
    insert_.bind(1, kErase).bind(2, digest_of(erase->user)).run();
  } else if (const auto* item = std::get_if<PutItem>(&change)) {
    insert_.bind(1, kPut).bind(2, item->item.id).bind(3, body_of(item->item)).run();
  } else if (const auto* shown = std::get_if<Impression>(&change)) {
    insert_.bind(1, kShown)
        .bind(2, shown->user)
        .bind(3, body_of(*shown))
        .bind(4, shown->time)
        .run();
  } else {
    insert_.bind(1, kRemove).bind(2, std::get<RemoveItem>(change).id).run();
  }
  return database_.last_row();
}

Log::Batch::Batch(Log& log) : log_(log), transaction_(log.database_) {}

Log::Batch::Added Log::Batch::add(std::span<const Change> changes, std::string_view key) {
  const std::string name = key.empty() ? "" : sha256(key);
  const std::string told = key.empty() ? "" : digest_of(changes);
  if (!name.empty()) {
    log_.find_key_.bind(1, name);
    if (log_.find_key_.step()) {
      const std::string known(log_.find_key_.text(0));
      const Offset offset = log_.find_key_.number(1);
      log_.find_key_.reset();
      if (known == told) return {offset, false};
      throw Error("the idempotency key was used for something else", "choose another key");
    }
  }
  Offset offset = 0;
  for (const Change& change : changes) {
    offset = log_.write(change);
    erases_ = erases_ || std::holds_alternative<EraseUser>(change);
  }
  if (!name.empty()) {
    log_.insert_key_.bind(1, name).bind(2, told).bind(3, offset);
    log_.insert_key_.bind(4, std::time(nullptr)).run();
  }
  return {offset, true};
}

void Log::Batch::commit() {
  transaction_.commit();
  // The write-ahead log still holds what was erased.
  if (erases_) log_.database_.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace podium::store
