// Tables: CSV, TSV, RecBole's atomic files, MovieLens' "::", and what lies between.
#pragma once

#include <string_view>

#include "podium/data/import_rows.h"
#include "podium/data/table_dialect.h"

namespace podium::data {

Dialect csv_dialect();
Dialect tsv_dialect();
Dialect recbole_dialect();
Dialect movielens_ratings_dialect();  // user::item::rating::time
Dialect movielens_movies_dialect();   // item::title::genres

// Reads a whole table. `usual`: the dialect that the file's name suggests (see guess_dialect).
// Throws Error that shows the header as read when it has no item column, when an event file has
// no user column beside a time, and when a mapped column is missing.
void import_table(Lines& lines, const Dialect& usual, const DialectOptions& said,
                  const FileRules& rules, ImportSink& sink);

// The roles whose mapped columns the file must have: in event files user, item, time and rating; in
// --items files item. Throws Error naming the columns found. Other mapped columns may be missing,
// as long as one file of the group has them (import.cc).
void check_map(const ColumnRoles& columns, const FileRules& rules, std::string_view where);

// "a, b, c" for messages; long lists are cut.
std::string names_text(const std::vector<std::string>& names);

}  // namespace podium::data
