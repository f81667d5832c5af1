#include "podium/text/tokenizer.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/scratch.h"

namespace podium::text {
namespace {

Tokenizer small() {
  return Tokenizer::train({"low lower lowest low low", "new newer newest 12"}, 256 + 12 + 2,
                          {"<|im_start|>", "<s_a_1>"});
}

TEST(Tokenizer, RoundTripsAnyBytes) {
  const Tokenizer t = small();
  for (const std::string text : {"lower  newest!\n 123", "caf\xC3\xA9 \xE2\x82\xAC", ""}) {
    EXPECT_EQ(t.decode(t.encode(text)), text);
  }
  EXPECT_EQ(t.decode(t.encode("a\xFF")), "a\xEF\xBF\xBD");
}

TEST(Tokenizer, FrequentWordsMerge) {
  const Tokenizer t = small();
  EXPECT_EQ(t.encode("low").size(), 1u);
  EXPECT_EQ(t.encode("12").size(), 2u);  // digits stay alone
}

TEST(Tokenizer, TextNeverBecomesAControlToken) {
  const Tokenizer t = small();
  for (const TokenId token : t.encode("<|im_start|><s_a_1>")) EXPECT_FALSE(t.is_added(token));
  const auto own = t.encode_with_added("low<|im_start|>");
  ASSERT_EQ(own.size(), 2u);
  EXPECT_EQ(own[1], t.added("<|im_start|>"));
}

TEST(Tokenizer, SavesAndLoads) {
  const fs::path file = scratch("tokenizer.json");
  const Tokenizer t = small();
  t.save(file);
  const Tokenizer u = Tokenizer::load(file);
  EXPECT_EQ(u.vocab(), t.vocab());
  EXPECT_EQ(u.encode("lowest newer"), t.encode("lowest newer"));
  write_file_atomic(file, R"({"model": 3})");
  EXPECT_THROW(Tokenizer::load(file), Error);
}

}  // namespace
}  // namespace podium::text
