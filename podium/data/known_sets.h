// Public data sets that podium can import by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "podium/data/import.h"

namespace podium::data {

struct KnownSet {
  std::string_view name, title, source, licence;
  std::string_view format;
  std::vector<std::string_view> files;  // below the set's folder, events first; .gz also tried
};
const std::vector<KnownSet>& known_sets();
const KnownSet& known_set(std::string_view name);  // Error lists the known names

// Imports a known set from a folder that holds its files.
Json import_known(std::string_view name, const fs::path& folder, const fs::path& out);

// The same from `from` if given, else $PODIUM_DATA/NAME, else, for ml-100k, from the copy in
// RecBole's wheel on PyPI, fetched with pip into a temporary folder beside `out` and checked
// against its pinned sha256. Error says what to do when the files are in none of them.
Json get_known(std::string_view name, const fs::path& from, const fs::path& out);

}  // namespace podium::data
