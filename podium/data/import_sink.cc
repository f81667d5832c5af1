#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>

#include "podium/base/error.h"
#include "podium/data/import.h"

namespace podium::data {
namespace {

constexpr size_t kMaxId = 512;
constexpr size_t kRawShown = 200;

struct RoleName {
  Role role;
  std::string_view name;                  // in --map
  std::vector<std::string_view> columns;  // usual spellings
};

const std::vector<RoleName>& role_names() {
  static const std::vector<RoleName> names = {
      {Role::kUser, "user", {"user", "user_id", "userId", "reviewerID", "uid", "session_id"}},
      {Role::kItem,
       "item",
       {"item", "item_id", "itemId", "movieId", "parent_asin", "asin", "iid", "product_id"}},
      {Role::kTime,
       "time",
       {"timestamp", "time", "unixReviewTime", "unix_day_ts", "ts", "unix_time"}},
      {Role::kRating, "rating", {"rating", "overall", "stars", "score"}},
      {Role::kTitle, "title", {"title", "movie_title", "name"}},
      {Role::kBrand, "brand", {"brand", "store"}},
      {Role::kCategories,
       "categories",
       {"categories", "category", "genres", "genre", "class", "main_category"}},
      {Role::kDescription, "description", {"description", "abstract", "features"}},
      {Role::kPrice, "price", {"price"}}};
  return names;
}

bool utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace

Role role_of(std::string_view column, const ColumnMap& map) {
  for (const RoleName& candidate : role_names()) {
    const auto mapped = map.find(std::string(candidate.name));
    if (mapped != map.end()) {
      if (mapped->second == column) return candidate.role;
      continue;  // a mapped role listens to its own column alone
    }
    for (const std::string_view usual : candidate.columns) {
      if (usual == column) return candidate.role;
    }
  }
  return Role::kNone;
}

ColumnMap parse_column_map(std::string_view text) {
  ColumnMap map;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const size_t equals = part.find('=');
    const std::string role(part.substr(0, equals));
    const bool known = std::any_of(role_names().begin(), role_names().end(),
                                   [&](const RoleName& r) { return r.name == role; });
    if (equals == std::string_view::npos || !known || equals + 1 == part.size()) {
      throw Error(fmt::format("cannot read the column mapping '{}'", part),
                  "write role=column pairs, e.g. user=uid,item=sku,time=ts; roles: user, item, "
                  "time, rating, title, brand, categories, description, price");
    }
    map[role] = std::string(part.substr(equals + 1));
  }
  return map;
}

ImportSink::ImportSink(DatasetBuilder& builder, bool strict, fs::path rejected)
    : builder_(builder), strict_(strict), rejected_path_(std::move(rejected)) {}

ImportSink::~ImportSink() = default;

void ImportSink::event(const Lines& at, std::string_view user, std::string_view item,
                       std::optional<int64_t> time, float rating, std::string_view raw) {
  if (user.empty() || item.empty()) return reject(at, "empty user or item", raw);
  if (user.size() > kMaxId || item.size() > kMaxId) return reject(at, "id over 512 bytes", raw);
  if (!utf8(user) || !utf8(item)) return reject(at, "not UTF-8", raw);
  if (!timed_) timed_ = time.has_value();
  if (*timed_ && !time) return reject(at, "no time, while the first event has one", raw);
  const int64_t moment = *timed_ ? *time : static_cast<int64_t>(events_);
  if (moment < last_time_) ++backwards_;
  last_time_ = moment;
  ++events_;
  builder_.add_event({std::string(user), std::string(item), moment, rating});
}

void ImportSink::item(const Lines& at, const DatasetBuilder::Item& item, std::string_view raw) {
  if (item.id.empty()) return reject(at, "empty item id", raw);
  if (item.id.size() > kMaxId) return reject(at, "id over 512 bytes", raw);
  bool valid = utf8(item.id) && utf8(item.title) && utf8(item.brand) && utf8(item.description);
  for (const std::string& name : item.categories) valid = valid && utf8(name);
  if (!valid) return reject(at, "not UTF-8", raw);
  ++items_;
  builder_.add_item(item);
}

void ImportSink::reject(const Lines& at, std::string_view reason, std::string_view raw) {
  const std::string where = fmt::format("{}:{}", at.name(), at.number());
  if (strict_) {
    throw Error(fmt::format("bad row: {}", reason), "mend it, or import without --strict", where);
  }
  ++rejected_;
  ++reasons_[std::string(reason)];
  if (rejected_path_.empty()) return;
  const Json row = {{"file", at.name()},
                    {"line", at.number()},
                    {"reason", reason},
                    {"raw", raw.substr(0, kRawShown)}};
  rejected_text_ += row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json ImportSink::summary() const {
  if (!rejected_path_.empty() && rejected_ > 0) write_file_atomic(rejected_path_, rejected_text_);
  return {{"events_read", events_},
          {"items_read", items_},
          {"rejected", rejected_},
          {"reasons", reasons_},
          {"times_going_backwards", backwards_},
          {"time", timed_.value_or(true) ? "from the file" : "event number"}};
}

}  // namespace podium::data
