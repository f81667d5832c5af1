// JSON lines, JSON arrays and Python literals: objects whose fields have usual or mapped names.
#pragma once

#include "podium/data/import_rows.h"

namespace podium::data {

// Throws Error when a mapped field is in no object of the file.
void import_json(Lines& lines, const FileRules& rules, ImportSink& sink);

}  // namespace podium::data
