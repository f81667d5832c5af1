// Checks a ranker's file before XGBoost reads it: XGBoost follows a tree's child numbers unchecked.
#pragma once

#include <string_view>

#include "podium/base/files.h"

namespace podium::ranking {

// Throws Error (kCorrupt) unless `bytes` is XGBoost's JSON of regression trees of one output: every
// tree's nodes hang together from its root, and ask for features that there are.
void check_ranker_json(std::string_view bytes, const fs::path& file);

}  // namespace podium::ranking
