// What a report says in one sentence.
#pragma once

#include <string>

#include "podium/base/json.h"

namespace podium::eval {

// Whether the last stage's order is better than the one it was given, as far as the 95 % interval
// of the difference in N@10 tells: the re-ranker against upstream over the targets among its
// candidates, or, without a re-ranker, upstream against the stage before it. An interval that holds
// 0 is told as noise. Empty for a report of one stage.
std::string verdict(const Json& report);

}  // namespace podium::eval
