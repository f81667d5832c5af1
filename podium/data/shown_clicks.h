// What slates and events of one shop tell of each other: an event takes the newest slate before it
// that showed its user its item, at most kTakenWithin (impressions.h) later; once for each slate.
#pragma once

#include <cstdint>
#include <vector>

#include "podium/data/dataset_writer.h"

namespace podium::data {

// Sets the clicks of the slates that do not tell theirs. events: each user's by time.
void clicks_from_events(const std::vector<EventRow>& events, ShownRows& shown);

// Of clicks at the times of their slates, those that no event is: none of the same user and item
// comes at most kTakenWithin later. events: each user's by time.
std::vector<EventRow> clicks_without_event(const std::vector<EventRow>& events,
                                           const std::vector<EventRow>& clicks);

}  // namespace podium::data
