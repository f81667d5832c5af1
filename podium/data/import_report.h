// What an import tells its user, from the manifest content that import_files() returns.
#pragma once

#include <string>
#include <vector>

#include "podium/base/json.h"

namespace podium::data {

// What deserves a second look: a catalogue that the events do not know, bought items without text,
// ids spelled in two ways, a guessed encoding, files that brought nothing.
std::vector<std::string> import_warnings(const Json& content);

// The summary: the dataset, each file with its layout and columns, rejected rows by reason with the
// first of each, repeats, and the warnings.
std::string import_text(const Json& content);

}  // namespace podium::data
