// The words of traces that more than one file must spell alike.
#pragma once

#include <string>
#include <string_view>

#include "podium/rerank/slate.h"

namespace podium::rerank {

// Catalogue text fit to stand in a trace, which is part of a JSON string: quotes, backslashes and
// control bytes become spaces.
std::string quotable(std::string_view text);

// "together", "fits history", "same category"...
std::string_view evidence_phrase(EvidenceKind kind);
// With its level, 1 to 3: "together weak", "together", "together strong".
std::string evidence_claim(EvidenceKind kind, int level);

inline constexpr std::string_view kPatternBegin = "pattern: ", kNoEvidence = "no evidence";

}  // namespace podium::rerank
