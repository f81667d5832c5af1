#include "podium/runtime/draft.h"

#include <algorithm>

namespace podium::runtime {
namespace {

constexpr size_t kShortestEnd = 2, kLongestEnd = 4;

// How many tokens, at most kLongestEnd, text[.. end) and said have in common at their ends.
size_t common_end(std::span<const TokenId> text, std::span<const TokenId> said) {
  const size_t most = std::min({kLongestEnd, text.size(), said.size()});
  size_t same = 0;
  while (same < most && text[text.size() - 1 - same] == said[said.size() - 1 - same]) ++same;
  return same;
}

}  // namespace

std::span<const TokenId> look_up(std::span<const std::span<const TokenId>> texts,
                                 std::span<const TokenId> said, size_t most) {
  std::span<const TokenId> found;
  size_t longest = kShortestEnd - 1;
  for (auto text = texts.rbegin(); text != texts.rend(); ++text) {
    for (size_t end = text->size(); end-- > 1 && longest < kLongestEnd;) {
      const size_t same = common_end(text->first(end), said);
      if (same <= longest) continue;
      longest = same;
      found = text->subspan(end, std::min(most, text->size() - end));
    }
  }
  return found;
}

}  // namespace podium::runtime
