// The example slates of report.html.
#pragma once

#include <string>

#include "podium/base/json.h"

namespace podium::eval {

// examples: report.json's "examples". Per slate: history, upstream's order, and each answer with
// its trace, whose semantic IDs are shown as the titles they stand for, with the verdict on it.
std::string examples_html(const Json& examples);

}  // namespace podium::eval
