// What a bundle was trained on, and what the log has since, as one dataset: what the next bundle is
// trained on.
#pragma once

#include "podium/base/json.h"
#include "podium/serving/bundle.h"

namespace podium::store {

// hold_out: so many of the log's newest events are left out, by their times and no more than a
// fifth of them, for the next bundle to be judged by (shadow/held_out.h).
// state: the folder of a store, which a server may have open and go on writing to: the log is read
// in short pieces up to what it holds when the last of them is read. Users who were erased are left
// out with all that came before; their later events count. Items that came after training, and what
// was told later of others, are in the catalogue. Slates that the log has (its impressions) are the
// dataset's, with the clicks that the events tell (data/shown_clicks.h), and after them those of
// the bundle's dataset. Returns what data::DatasetBuilder::write() does, with "live_events",
// "live_items" and "live_slates". Throws Error when the log is none, when the bundle's events
// have no real times (the log's have), or when `out` is there and no dataset of podium's.
Json write_dataset(const fs::path& state, const serving::Bundle& bundle, const fs::path& out,
                   size_t hold_out = 0);

}  // namespace podium::store
