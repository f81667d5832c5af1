#include "podium/data/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "podium/base/error.h"

namespace podium::data {
namespace {

struct RoleNames {
  Role role;
  std::string_view name;                  // in --map
  std::vector<std::string_view> columns;  // as bare() leaves them, preferred first
};

const std::array<RoleNames, kRoles - 1>& role_names() {
  static const std::array<RoleNames, kRoles - 1> names = {{
      {Role::kUser,
       "user",
       {"userid", "user", "reviewerid", "customerid", "memberid", "accountid", "visitorid",
        "clientid", "username", "uid", "sessionid", "session"}},
      {Role::kItem,
       "item",
       {"itemid", "item", "movieid", "productid", "parentasin", "asin", "articleid", "businessid",
        "isbn", "bookid", "artistid", "trackid", "songid", "gameid", "appid", "newsid", "sku",
        "iid"}},
      {Role::kTime,
       "time",
       {"timestamp", "unixreviewtime", "unixtime", "timestampms", "timems", "time", "ts",
        "unixdayts", "datetime", "eventtime", "createdat", "date", "tdat", "eventdate", "day"}},
      {Role::kRating, "rating", {"rating", "overall", "stars", "score", "bookrating"}},
      {Role::kTitle,
       "title",
       {"title", "itemtitle", "movietitle", "booktitle", "producttitle", "productname", "prodname",
        "appname", "itemname", "name"}},
      {Role::kBrand, "brand", {"brand", "store", "manufacturer", "bookauthor", "author"}},
      {Role::kCategories,
       "categories",
       {"maincategory", "categories", "category", "genres", "genre", "class"}},
      {Role::kDescription, "description", {"description", "abstract", "features", "detaildesc"}},
      {Role::kPrice, "price", {"price"}},
  }};
  return names;
}

constexpr size_t kLastRank = 1000;

// Small letters without '_', '-', '.' and blanks.
std::string bare(std::string_view column) {
  std::string name;
  for (const char c : column) {
    if (c == '_' || c == '-' || c == '.' || c == ' ') continue;
    name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

}  // namespace

std::string_view role_name(Role role) {
  for (const RoleNames& names : role_names()) {
    if (names.role == role) return names.name;
  }
  return "none";
}

ColumnUse column_use(std::string_view column, const ColumnMap& map, bool items) {
  const std::string name = bare(column);
  for (const auto& [role, mapped] : map) {
    if (bare(mapped) != name) continue;
    for (const RoleNames& names : role_names()) {
      if (names.name == role) return {names.role, mapped == column ? size_t{0} : size_t{1}};
    }
  }
  for (const RoleNames& names : role_names()) {
    if (map.contains(std::string(names.name))) continue;
    const auto found = std::find(names.columns.begin(), names.columns.end(), name);
    if (found != names.columns.end()) {
      return {names.role, static_cast<size_t>(found - names.columns.begin())};
    }
  }
  if (items && name == "id" && !map.contains("item")) return {Role::kItem, kLastRank};
  return {};
}

ColumnMap parse_column_map(std::string_view text) {
  ColumnMap map;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const size_t equals = std::min(part.find('='), part.size());
    const std::string role(part.substr(0, equals));
    const bool known = std::any_of(role_names().begin(), role_names().end(),
                                   [&](const RoleNames& names) { return names.name == role; });
    if (!known || equals + 1 >= part.size() || map.contains(role)) {
      throw Error(fmt::format("cannot read the column mapping '{}'", part),
                  "write role=column pairs, each role once, e.g. user=uid,item=sku,time=ts; roles: "
                  "user, item, time, rating, title, brand, categories, description, price");
    }
    for (const auto& [other, column] : map) {
      if (bare(column) == bare(part.substr(equals + 1))) {
        throw Error(fmt::format("the column {} is mapped to {} and to {}", column, other, role),
                    "map each column to one role");
      }
    }
    map[role] = std::string(part.substr(equals + 1));
  }
  return map;
}

Role ColumnRoles::add(std::string_view column) {
  ColumnUse use = column_use(column, map_, items_);
  if (items_ && use.role == Role::kUser) use = {};
  const size_t index = names_.size();
  names_.emplace_back(column);
  ranks_.push_back(use.rank);
  if (use.role == Role::kNone) return use.role;
  std::vector<size_t>& of_role = by_role_[size_t(use.role)];
  const auto after = std::find_if(of_role.begin(), of_role.end(),
                                  [&](size_t other) { return ranks_[other] > use.rank; });
  of_role.insert(after, index);
  return use.role;
}

}  // namespace podium::data
