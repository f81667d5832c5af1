// Slates as another engine showed them: JSON lines (or an array, as import_json.h), one slate an
// object.
//
//   user          an id
//   time          when it was shown, as events have theirs
//   shown         [ids] in the order shown, 1 to kMostShown different ones; or `items`, as in the
//                 server's POST /v1/impressions
//   clicked       [ids] of `shown`; missing or null: not told, and what the user's events took of
//                 the slate (shown_clicks.h)
//   propensities  [numbers] one an item of `shown`, in (0, 1]; may be missing
//
// Other fields are passed over.
#pragma once

#include "podium/data/import_sink.h"
#include "podium/data/lines.h"

namespace podium::data {

inline constexpr size_t kMostShown = 1000;  // items a slate, as the server takes them

void import_shown(Lines& lines, ImportSink& sink);

}  // namespace podium::data
