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
constexpr int64_t kVersion = 3;               // 2: impressions; 3: types of events, facts of users
constexpr int64_t kKeysKept = 7 * 86400;      // seconds

enum Kind : int64_t {
  kEvent = 1,
  kErase = 2,
  kPut = 3,
  kRemove = 4,
  kShown = 5,
  kTypedEvent = 6,
  kRemoveEvents = 7,
  kPutUser = 8
};

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
    item TEXT,             -- of kind 1 the item's id, of others what they tell, as JSON
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

// Throws Error unless the file is a log of ours that we can read, or empty. Returns its version.
int64_t checked_version(Database& database, bool empty) {
  const int64_t application = database.number("PRAGMA application_id");
  const int64_t version = database.number("PRAGMA user_version");
  if (application != kApplication && !(empty && application == 0)) {
    throw Error("the file is a database of another program", "choose another directory",
                database.file().string());
  }
  if (version > kVersion) {
    throw Error(fmt::format("the store is of version {}, this podium reads {}", version, kVersion),
                "use the podium that wrote it, or a newer one", database.file().string());
  }
  return version;
}

bool is_empty(Database& database) {
  return database.number("SELECT count(*) FROM sqlite_schema") == 0;
}

// The same database, checked to be ours and set up.
Database& prepared(Database& database) {
  const bool empty = is_empty(database);
  const int64_t version = checked_version(database, empty);
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

bool is_typed(const serving::LiveEvent& event) { return !event.type.empty() || event.value != 0; }

std::string body_of(const serving::LiveEvent& event) {
  Json json = {{"item", event.item}, {"type", event.type}};
  if (event.value != 0) json["value"] = event.value;
  return line(json);
}

serving::LiveEvent event_of(std::string_view body, int64_t time) {
  const Json json = Json::parse(body);
  return {json.at("item"), time, json.at("type"), json.value("value", 0.0)};
}

std::string body_of(const RemoveEvents& events) {
  Json json = {{"item", events.item}};
  if (events.type) json["type"] = *events.type;
  return line(json);
}

RemoveEvents removed_of(std::string_view user, std::string_view body) {
  const Json json = Json::parse(body);
  RemoveEvents events{std::string(user), json.at("item")};
  if (json.contains("type")) events.type = json["type"].get<std::string>();
  return events;
}

std::string body_of(const serving::LiveItem& item) {
  Json json = {{"title", item.title},
               {"brand", item.brand},
               {"description", item.description},
               {"categories", item.categories}};
  if (!std::isnan(item.price)) json["price"] = item.price;
  if (!item.fields.empty()) json["fields"] = serving::fields_json(item.fields);
  if (item.time != 0) json["time"] = item.time;
  if (!item.labels.empty()) json["labels"] = item.labels;
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
  item.time = json.value("time", int64_t{0});
  item.labels = json.value("labels", "");
  return item;
}

Change change_of(const Statement& row) {
  const std::string_view id = row.text(2), item = row.text(3);
  switch (row.number(1)) {
    case kEvent:
      return Event{std::string(id), {std::string(item), row.number(4)}};
    case kTypedEvent:
      return Event{std::string(id), event_of(item, row.number(4))};
    case kRemoveEvents:
      return removed_of(id, item);
    case kPutUser:
      return PutUser{std::string(id), std::string(item)};
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

Offset take_row(const Database& database, const Statement& row,
                const std::function<void(Offset, const Change&)>& take) {
  const Offset offset = row.number(0);
  try {
    take(offset, change_of(row));
  } catch (const std::exception& problem) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("change {} of the store cannot be read: {}", offset, problem.what()),
                "bring the file back from a backup", database.file().string());
  }
  return offset;
}

// What a repeated append is compared by.
std::string digest_of(std::span<const Change> changes) {
  std::string text;
  const auto put = [&](std::string_view part) {
    text += fmt::format("{}:", part.size());
    text += part;
  };
  for (const Change& change : changes) {
    const auto* told = std::get_if<Event>(&change);
    const bool typed = told && is_typed(told->event);
    put(typed ? "typed" : std::to_string(change.index()));
    if (typed) put(body_of(told->event));
    if (const auto* event = std::get_if<Event>(&change)) {
      put(event->user), put(event->event.item), put(std::to_string(event->event.time));
    } else if (const auto* erase = std::get_if<EraseUser>(&change)) {
      put(erase->user);
    } else if (const auto* item = std::get_if<PutItem>(&change)) {
      put(item->item.id), put(body_of(item->item));
    } else if (const auto* shown = std::get_if<Impression>(&change)) {
      put(shown->user), put(body_of(*shown)), put(std::to_string(shown->time));
    } else if (const auto* removed = std::get_if<RemoveEvents>(&change)) {
      put(removed->user), put(body_of(*removed));
    } else if (const auto* user = std::get_if<PutUser>(&change)) {
      put(user->user), put(user->told);
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
      forget_(database_, "DELETE FROM log WHERE id = ? AND kind IN (1, 5, 6, 7, 8)"),
      find_key_(database_, "SELECT changes, offset FROM keys WHERE key = ?"),
      insert_key_(database_, "INSERT INTO keys (key, changes, offset, time) VALUES (?, ?, ?, ?)") {
  Statement(database_, "DELETE FROM keys WHERE time < ?")
      .bind(1, std::time(nullptr) - kKeysKept)
      .run();
}

void Log::read(const std::function<void(Offset, const Change&)>& take) {
  Statement rows(database_, "SELECT offset, kind, id, item, time FROM log ORDER BY offset");
  while (rows.step()) take_row(database_, rows, take);
}

void read_log(const fs::path& file, const std::function<void(Offset, const Change&)>& take,
              Offset after) {
  constexpr int64_t kPiece = 10000;
  if (!fs::exists(file)) {
    throw Error(ErrorKind::kNotFound, "there is no log",
                "name the folder that `podium serve` keeps", file.string());
  }
  Database database = Database::reader(file);
  if (const bool empty = is_empty(database); checked_version(database, empty), empty) return;
  Statement rows(database,
                 "SELECT offset, kind, id, item, time FROM log WHERE offset > ? ORDER BY offset "
                 "LIMIT ?");
  Offset last = after;
  for (int64_t read = kPiece; read == kPiece;) {
    rows.bind(1, last).bind(2, kPiece);
    for (read = 0; rows.step(); ++read) last = take_row(database, rows, take);
  }
}

void Log::insert(int64_t kind, std::string_view id, std::string_view item,
                 std::optional<int64_t> time) {
  insert_.bind(1, kind).bind(2, id).bind(3, item);
  if (time) insert_.bind(4, *time);
  insert_.run();
}

Offset Log::write(const Change& change) {
  if (const auto* event = std::get_if<Event>(&change)) {
    const bool typed = is_typed(event->event);
    insert(typed ? kTypedEvent : kEvent, event->user,
           typed ? body_of(event->event) : event->event.item, event->event.time);
  } else if (const auto* erase = std::get_if<EraseUser>(&change)) {
    forget_.bind(1, erase->user).run();
    insert(kErase, digest_of(erase->user), "");
  } else if (const auto* item = std::get_if<PutItem>(&change)) {
    insert(kPut, item->item.id, body_of(item->item));
  } else if (const auto* shown = std::get_if<Impression>(&change)) {
    insert(kShown, shown->user, body_of(*shown), shown->time);
  } else if (const auto* removed = std::get_if<RemoveEvents>(&change)) {
    insert(kRemoveEvents, removed->user, body_of(*removed));
  } else if (const auto* user = std::get_if<PutUser>(&change)) {
    insert(kPutUser, user->user, user->told);
  } else {
    insert(kRemove, std::get<RemoveItem>(change).id, "");
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
