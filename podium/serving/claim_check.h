// Proves claims from the raw events: somebody's own from what the bundle was trained on and the
// live log, counts of people from the former. It shares no count, index or order of events with
// what makes claims (explain.h).
//
// What an erased user did proves nothing: neither her own history nor a count of people.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "podium/serving/claim.h"
#include "podium/serving/claim_data.h"

namespace podium::serving {

// [claims] What the data do not bear out, in words ("the count is 12"); empty: proved. Walks over
// all of the bundle's events once where a claim counts people.
std::vector<std::string> claim_problems(const ClaimData& data, const Subject& subject,
                                        std::span<const Claim> claims);

}  // namespace podium::serving
