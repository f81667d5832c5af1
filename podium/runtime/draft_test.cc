#include "podium/runtime/draft.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "podium/base/rng.h"

namespace podium::runtime {
namespace {

using Tokens = std::vector<TokenId>;
using Text = std::span<const TokenId>;

Tokens found(std::initializer_list<Tokens> texts, const Tokens& said, size_t most) {
  const std::vector<Text> spans(texts.begin(), texts.end());
  const Text result = look_up(spans, said, most);
  return {result.begin(), result.end()};
}

TEST(LookUpTest, ByHand) {
  const Tokens prompt = {1, 2, 3, 4, 2, 3, 5, 6};
  EXPECT_EQ(found({prompt}, {9, 2, 3}, 3), (Tokens{5, 6}));                // the later place
  EXPECT_EQ(found({prompt}, {1, 2, 3}, 2), (Tokens{4, 2}));                // the longer end
  EXPECT_EQ(found({prompt, {2, 3, 8}}, {9, 2, 3}, 3), (Tokens{8}));        // the later text
  EXPECT_EQ(found({{4, 2, 3, 7}, {2, 3, 8}}, {4, 2, 3}, 1), (Tokens{7}));  // the longer end of any
  EXPECT_EQ(found({prompt}, {9, 3}, 3), Tokens{});                         // one token says little
  EXPECT_EQ(found({prompt}, {5, 6}, 3), Tokens{});                         // nothing behind it
  EXPECT_EQ(found({{4, 5, 1, 4, 5}}, {4, 5, 1, 4, 5}, 8), (Tokens{1, 4, 5}));  // itself
  EXPECT_EQ(found({}, {1, 2}, 3), Tokens{});
  EXPECT_EQ(found({prompt}, {}, 3), Tokens{});
}

// Every place of every text, the longest end first.
Tokens slow_look_up(const std::vector<Text>& texts, Text said, size_t most) {
  for (size_t length = std::min<size_t>(4, said.size()); length > 1; --length) {
    const Text end = said.last(length);
    for (auto text = texts.rbegin(); text != texts.rend(); ++text) {
      for (size_t at = text->size(); at-- > 0;) {
        if (at < length || !std::equal(end.begin(), end.end(), text->begin() + at - length)) {
          continue;
        }
        const Text next = text->subspan(at, std::min(most, text->size() - at));
        return {next.begin(), next.end()};
      }
    }
  }
  return {};
}

TEST(LookUpTest, FindsWhatTheSlowSearchFinds) {
  Rng rng(3);
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<Tokens> texts(1 + rng.below(3));
    for (Tokens& text : texts) {
      text.resize(rng.below(30));
      for (TokenId& token : text) token = TokenId(rng.below(4));
    }
    const std::vector<Text> spans(texts.begin(), texts.end());
    const Text said = spans.back();
    const Text fast = look_up(spans, said, 5);
    ASSERT_EQ(Tokens(fast.begin(), fast.end()), slow_look_up(spans, said, 5));
  }
}

}  // namespace
}  // namespace podium::runtime
