#include "podium/serving/reasons.h"

#include <algorithm>

#include "podium/rerank/trace_text.h"

namespace podium::serving {

std::vector<std::string> reasons(const rerank::Evidence& evidence) {
  std::vector<size_t> kinds;
  for (size_t kind = 0; kind < evidence.size(); ++kind) {
    if (evidence[kind] > 0) kinds.push_back(kind);
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [&](size_t a, size_t b) { return evidence[a] > evidence[b]; });
  kinds.resize(std::min<size_t>(3, kinds.size()));
  std::vector<std::string> words;
  for (const size_t kind : kinds) {
    words.emplace_back(rerank::evidence_phrase(rerank::EvidenceKind(kind)));
  }
  return words;
}

std::vector<std::string> sources(const AnswerItem& item, const Bundle& bundle) {
  std::vector<std::string> names;
  const std::vector<std::string>& all = bundle.source_names();
  for (size_t s = 0; s < all.size() && s < 32; ++s) {
    if (item.sources >> s & 1U) names.push_back(all[s]);
  }
  return names;
}

}  // namespace podium::serving
