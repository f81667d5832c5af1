// What a column or field means, by its name, the same in every format.
//
// Case, '_', '-', '.' and blanks do not matter: userId, User-ID and user_id are one name. Where
// several columns have one role, the name that stands first in this table is preferred, wherever
// the column stands; where its value is blank in a row, the next one's is taken. Columns of
// categories and of description are joined instead.
//
//   user         user_id user reviewer_id customer_id member_id account_id visitor_id client_id
//                username uid session_id session
//   item         item_id item movie_id product_id parent_asin asin article_id business_id isbn
//                book_id artist_id track_id song_id game_id app_id news_id sku iid; in
//                files given with --items also id
//   time         timestamp unix_review_time unix_time timestamp_ms time_ms time ts unix_day_ts
//                datetime event_time created_at date t_dat event_date day
//   rating       rating overall stars score book_rating
//   title        title item_title movie_title book_title product_title product_name prod_name
//                app_name item_name name
//   brand        brand store manufacturer book_author author
//   categories   main_category categories category genres genre class
//   description  description abstract features detail_desc
//   price        price
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace podium::data {

enum class Role : uint8_t {
  kNone,
  kUser,
  kItem,
  kTime,
  kRating,
  kTitle,
  kBrand,
  kCategories,
  kDescription,
  kPrice
};
inline constexpr size_t kRoles = 10;
std::string_view role_name(Role role);  // as in --map

// --map user=uid,item=sku: role name -> column name. A mapped role listens to its own column only.
using ColumnMap = std::map<std::string, std::string>;
ColumnMap parse_column_map(std::string_view text);  // Error on an unknown role

struct ColumnUse {
  Role role = Role::kNone;
  size_t rank = 0;  // 0 is preferred
};
ColumnUse column_use(std::string_view column, const ColumnMap& map, bool items);

// The columns of each role, preferred ones first.
class ColumnRoles {
 public:
  // items: of a file given with --items, which has no user column whatever its names.
  ColumnRoles(const ColumnMap& map, bool items) : map_(map), items_(items) {}

  Role add(std::string_view column);  // the next column; its role
  size_t size() const { return names_.size(); }
  const std::string& name(size_t column) const { return names_[column]; }
  std::span<const size_t> of(Role role) const { return by_role_[size_t(role)]; }
  bool has(Role role) const { return !of(role).empty(); }

 private:
  ColumnMap map_;
  bool items_;
  std::vector<std::string> names_;
  std::vector<size_t> ranks_;  // by column
  std::vector<size_t> by_role_[kRoles];
};

}  // namespace podium::data
