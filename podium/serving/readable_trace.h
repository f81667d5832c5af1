// A policy's trace as people read it.
#pragma once

#include <string>
#include <string_view>

#include "podium/data/dataset.h"
#include "podium/rerank/slate.h"
#include "podium/sid/codebook.h"

namespace podium::serving {

// Every candidate name and semantic ID of the slate's items is replaced by the item's title (its id
// if it has none); a semantic ID of no item of the slate is left out, whole or cut short.
std::string readable_trace(std::string_view trace, const rerank::Slate& slate,
                           const data::Dataset& dataset, const sid::SidTable& sids);

// Bytes of a text that is still being said which no further token changes: a character that a token
// has cut short stands at its end as U+FFFD, until the next one completes it.
size_t settled(std::string_view text);

}  // namespace podium::serving
