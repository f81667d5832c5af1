// Whose history a request is about, as the models read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podium/retrieval/retriever.h"
#include "podium/serving/added_items.h"
#include "podium/serving/bundle.h"
#include "podium/serving/live_state.h"
#include "podium/serving/request.h"

namespace podium::serving {

struct History {
  std::vector<data::ItemIndex> items;    // oldest first
  std::vector<data::ItemIndex> trained;  // of them those that the bundle knows,
  std::vector<int64_t> times;            // with their times; empty: unknown
  std::vector<data::ItemIndex> added;    // the others
  size_t unknown = 0;                    // events of unknown items, left out
  bool new_user = false;                 // whom nobody knows
  int64_t now = 0;

  // As sources and ranker read it.
  retrieval::Query query(const AddedItems& items_added) const {
    return {.history = trained,
            .times = times,
            .now = now,
            .added = items_added.features(),
            .added_seen = added};
  }
};

// The one rule of time. Training and evaluation ask as of the moment of the event that they ask
// for; a server asks as of request.time, or else `clock` (unix seconds). A history without times,
// and every history of a bundle whose events have none, counts as having ended just now.
//
// A user's history is the bundle's, then what the live state has, by time; an event that is in both
// counts once, as a bundle was often trained on what the log has. Throws Error when the
// user is unknown to both and may not be new, when history and times of a request do not fit, and
// when time_problem() says so of one of its times.
History history_of(const Bundle& bundle, const LiveState& state, const AddedItems& added,
                   const Request& request, int64_t clock);

// What is wrong with a time that a request or an event names, in words; empty: nothing. Unix
// seconds of 1970 to 2199 are meant, or the events' numbers where a bundle has no times.
std::string time_problem(int64_t time);
void check_time(int64_t time, const std::string& where = "");  // throws it as an Error

// An item of the bundle or an added one.
std::optional<data::ItemIndex> find_item(const Bundle& bundle, const AddedItems& added,
                                         std::string_view id);

}  // namespace podium::serving
