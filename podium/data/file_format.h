// What a file is, by its name and its first bytes.
#pragma once

#include <string>
#include <string_view>

#include "podium/data/table_rows.h"

namespace podium::data {

// One of --format's names for a file of this name (content_name()); where it tells nothing, by the
// first bytes: JSON or a table. Error on formats that podium does not read (Parquet, Excel, ...).
std::string detect_format(std::string_view name, std::string_view sample);

// The dialect that a table's format and name suggest. Public files without a header get their
// columns here: ml-1m's ratings.dat and movies.dat, ml-100k's u.data and u.item.
Dialect usual_dialect(std::string_view format, std::string_view name, std::string_view sample);

}  // namespace podium::data
