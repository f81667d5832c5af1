#include "podium/text/plain_text.h"

#include <gtest/gtest.h>

namespace podium::text {
namespace {

TEST(PlainText, NothingInATitleLeavesItsQuotes) {
  EXPECT_EQ(quotable_text("Oil of argan", 80), "Oil of argan");
  EXPECT_EQ(quotable_text("a” is best; “b", 80), "a' is best; 'b");
  EXPECT_EQ(quotable_text("one\r\n\ttwo \u2028 three\x7f", 80), "one two three");
  EXPECT_EQ(quotable_text("\u202Eabc\u202C\u200B\u2066d\uFEFF", 80), "abcd");
  EXPECT_EQ(quotable_text("caf\xc3\xa9 \xff\xc3", 80), "café");
  EXPECT_EQ(quotable_text("  \n ", 80), "");
}

TEST(PlainText, IsCutBetweenCharacters) {
  EXPECT_EQ(quotable_text("ééééé", 5), "ééééé");
  EXPECT_EQ(quotable_text("éééééé", 5), "éééé…");
  EXPECT_EQ(quotable_text("abc", 0), "");
}

TEST(PlainText, WordsAreRunsOfLettersAndDigitsInLowerCase) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(lower_words("L'Oréal: ÖL-Shampoo 250ml"),
            (Words{"l", "oréal", "öl", "shampoo", "250ml"}));
  EXPECT_EQ(lower_words(" \xff?! "), Words{});
}

}  // namespace
}  // namespace podium::text
