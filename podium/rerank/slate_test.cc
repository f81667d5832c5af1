#include "podium/rerank/slate.h"

#include <gtest/gtest.h>

#include <limits>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/scratch.h"
#include "podium/rerank/test_world.h"

namespace podium::rerank {
namespace {

class SlateTest : public testing::Test {
 protected:
  SlateTest() : dir_(scratch_dir("slates")) {
    Rng rng(1);
    for (int i = 0; i < 5; ++i) slates_.push_back(world_.described_slate(rng, 2 + 3 * i, i));
    slates_[1].weight = 2.5F;
    write_slates(dir_, world_.dataset(), slates_);
  }

  TestWorld world_;
  fs::path dir_;
  std::vector<Slate> slates_;
};

TEST_F(SlateTest, RoundTrip) {
  const auto back = read_slates(dir_);
  ASSERT_EQ(back.size(), slates_.size());
  for (size_t i = 0; i < back.size(); ++i) {
    EXPECT_EQ(back[i].id, slates_[i].id);
    EXPECT_EQ(back[i].history, slates_[i].history);
    EXPECT_EQ(back[i].weight, slates_[i].weight);
    ASSERT_EQ(back[i].candidates.size(), slates_[i].candidates.size());
    EXPECT_EQ(back[i].positives(), slates_[i].positives());
    for (size_t c = 0; c < back[i].candidates.size(); ++c) {
      EXPECT_EQ(back[i].candidates[c].item, slates_[i].candidates[c].item);
      EXPECT_EQ(back[i].candidates[c].upstream_score, slates_[i].candidates[c].upstream_score);
      EXPECT_EQ(back[i].candidates[c].evidence, slates_[i].candidates[c].evidence);
      EXPECT_EQ(back[i].candidates[c].gain, slates_[i].candidates[c].gain);
      EXPECT_EQ(back[i].candidates[c].numbers, slates_[i].candidates[c].numbers);
    }
  }
}

TEST_F(SlateTest, NumbersAreOfOneSizeAndFinite) {
  Slate slate = slates_[1];
  EXPECT_EQ(slate_flaw(slate), "");
  slate.candidates[2].numbers.pop_back();
  EXPECT_NE(slate_flaw(slate), "");
  slate = slates_[1];
  slate.candidates[2].numbers[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(slate_flaw(slate), "");
}

TEST_F(SlateTest, AWeightIsAboveZero) {
  Slate slate = slates_[1];
  for (const float weight : {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    slate.weight = weight;
    EXPECT_NE(slate_flaw(slate), "") << weight;
  }
}

TEST_F(SlateTest, LinesAreReadable) {
  const std::string lines = read_file(dir_ / "slates.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 5);
  const Json first = parse_json(lines.substr(0, lines.find('\n')), "line 1");
  EXPECT_EQ(first["id"], slates_[0].id);
  const auto& candidate = slates_[0].candidates[0];
  EXPECT_EQ(first["candidates"][0]["item"], world_.dataset().item_id(candidate.item));
  EXPECT_EQ(first["candidates"][0]["label"], candidate.gain);
  EXPECT_EQ(first["candidates"][0]["title"], world_.dataset().title(candidate.item));
}

TEST_F(SlateTest, AFlippedBitIsFound) {
  const fs::path path = dir_ / "slates.safetensors";
  const std::string good = read_file(path);
  for (size_t back : {size_t(1), good.size() / 4}) {
    std::string bad = good;
    bad[bad.size() - back] = char(bad[bad.size() - back] ^ 4);
    write_file_atomic(path, bad);
    EXPECT_THROW(read_slates(dir_), Error);
  }
  write_file_atomic(path, good);
  EXPECT_NO_THROW(read_slates(dir_));
  EXPECT_THROW(read_slates(dir_ / "absent"), Error);
}

TEST_F(SlateTest, ANewerVersionIsRefused) {
  const fs::path path = dir_ / "slates.safetensors";
  std::string bytes = read_file(path);
  const std::string from = "\"podium_slates\":\"" + std::to_string(kSlateForm) + "\"";
  const size_t at = bytes.find(from);
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, from.size(), "\"podium_slates\":\"9\"");
  write_file_atomic(path, bytes);
  try {
    read_slates(dir_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("version 9"), std::string::npos);
  }
}

TEST_F(SlateTest, Flaws) {
  Rng rng(2);
  Slate slate = world_.random_slate(rng, 3);
  EXPECT_EQ(slate_flaw(slate), "");
  Slate twice = slate, level = slate, few = slate, score = slate;
  twice.candidates[1].item = twice.candidates[0].item;
  level.candidates[0].evidence[kPrice] = 4;
  few.candidates.resize(1);
  score.candidates[2].upstream_score = std::numeric_limits<float>::quiet_NaN();
  for (const Slate& bad : {twice, level, few, score}) EXPECT_NE(slate_flaw(bad), "");
}

}  // namespace
}  // namespace podium::rerank
