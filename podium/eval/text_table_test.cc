#include "podium/eval/text_table.h"

#include <gtest/gtest.h>

namespace podium::eval {
namespace {

TEST(TextTableTest, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("é"), 1u);
  EXPECT_EQ(display_width("e\xcc\x81"), 1u);  // combining acute
  EXPECT_EQ(display_width("日本"), 4u);
  EXPECT_EQ(display_width("😀"), 2u);
  EXPECT_EQ(display_width("\xff\xfe"), 2u);
}

TEST(TextTableTest, AlignsUtf8) {
  TextTable table({"name", "n"});
  table.add({"Amélie", "1"});
  table.add({"七人の侍", "12"});
  EXPECT_EQ(table.text(),
            "  name       n\n"
            "  Amélie     1\n"
            "  七人の侍  12\n");
}

TEST(TextTableTest, CatalogueTextCannotDriveTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\nc"), "a\uFFFD[31mb\uFFFDc");
  EXPECT_EQ(printable("\xe2\x80\xae x"), "\uFFFD x");  // right-to-left override
  EXPECT_EQ(printable("\xc2\x9b"), "\uFFFD");          // C1 control sequence introducer
  EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(printable("ok — ★"), "ok — ★");
}

TEST(TextTableTest, FitsAWidth) {
  EXPECT_EQ(fit_width("short", 5), "short");
  EXPECT_EQ(fit_width("longer", 5), "long…");
  EXPECT_EQ(fit_width("七人の侍", 5), "七人…");
  EXPECT_EQ(display_width(fit_width("七人の侍", 4)), 3u);
}

}  // namespace
}  // namespace podium::eval
