#include "podium/retrieval/blend.h"

#include <limits>
#include <unordered_map>

namespace podium::retrieval {

std::vector<Blended> blend(const Sources& sources, const Query& query,
                           const BlendOptions& options) {
  return blend_lists(sources.all(), sources.asked(query), options);
}

std::vector<Blended> blend_lists(const std::vector<const Retriever*>& sources, const Query& query,
                                 const BlendOptions& options) {
  const auto quota = static_cast<size_t>(std::max(0, options.quota));
  std::vector<std::vector<Scored>> lists;
  for (const Retriever* source : sources) lists.push_back(source->retrieve(query, quota));
  std::vector<Blended> out;
  std::unordered_map<ItemIndex, size_t> at;
  for (size_t round = 0; round < quota; ++round) {
    for (size_t s = 0; s < lists.size(); ++s) {
      if (round >= lists[s].size()) continue;
      const Scored& found = lists[s][round];
      const auto [entry, fresh] = at.try_emplace(found.item, out.size());
      if (fresh) {
        out.push_back({found.item,
                       std::vector<float>(lists.size(), std::numeric_limits<float>::quiet_NaN()),
                       std::vector<int>(lists.size(), -1)});
      }
      out[entry->second].score[s] = found.score;
      out[entry->second].rank[s] = static_cast<int>(round);
    }
  }
  if (out.size() > size_t(options.total)) out.resize(size_t(options.total));
  return out;
}

}  // namespace podium::retrieval
