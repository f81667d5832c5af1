#include "podium/rerank/trace_text.h"

#include <array>

namespace podium::rerank {

std::string quotable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return out;
}

std::string_view evidence_phrase(EvidenceKind kind) {
  constexpr std::array<std::string_view, kEvidenceKinds> kPhrases = {
      "together", "fits history",  "similar",    "next in sequence",
      "popular",  "same category", "same brand", "usual price"};
  return kPhrases.at(kind);
}

std::string evidence_claim(EvidenceKind kind, int level) {
  const std::string phrase(evidence_phrase(kind));
  if (level >= 3) return phrase + " strong";
  return level == 1 ? phrase + " weak" : phrase;
}

}  // namespace podium::rerank
