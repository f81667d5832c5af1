// Files, hashes, random numbers, options, parallel loops.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <limits>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"

namespace podium {
namespace {

TEST(Sha256, KnownVectors) {  // FIPS 180-4 examples
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Rng, SameNumbersEverywhere) {
  Rng a(1), b(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
  EXPECT_EQ(Rng(1).next(), 12966619160104079557ULL);  // xoshiro256** seeded by splitmix64
  EXPECT_NE(Rng(1).fork("x").next(), Rng(1).fork("y").next());
  Rng used(1);
  used.next();
  EXPECT_EQ(used.fork("x").next(), Rng(1).fork("x").next());  // forks know the seed alone
}

TEST(Rng, BoundsAndMoments) {
  Rng rng(3);
  double sum = 0, square = 0;
  for (int i = 0; i < 20000; ++i) {
    EXPECT_LT(rng.below(7), 7u);
    const double u = rng.uniform();
    EXPECT_TRUE(u >= 0 && u < 1);
    const double z = rng.normal();
    sum += z;
    square += z * z;
  }
  EXPECT_NEAR(sum / 20000, 0, 0.03);
  EXPECT_NEAR(square / 20000, 1, 0.05);
}

struct Inner {
  int levels = 4;
  int64_t seed = 1;
  template <class V>
  void visit(V& v) {
    v("levels", levels, "residual levels");
    v("seed", seed, "a seed");
  }
};
struct Outer {
  double rate = 0.5;
  bool fast = false;
  std::string name = "x";
  Inner sid = {};
  template <class V>
  void visit(V& v) {
    v("rate", rate, "a rate");
    v("fast", fast, "quick");
    v("name", name, "a name");
    v.section("sid", sid);
  }
};

TEST(Options, TomlRoundTrip) {
  const fs::path file = scratch("options.toml");
  Outer a;
  a.rate = 0.25;
  a.fast = true;
  a.sid.levels = 7;
  write_file_atomic(file, OptionList(a).to_toml());
  Outer b;
  OptionList(b).load_toml(file);
  EXPECT_EQ(b.rate, 0.25);
  EXPECT_TRUE(b.fast);
  EXPECT_EQ(b.sid.levels, 7);
}

TEST(Options, ErrorsNameLineAndNearestKey) {
  const fs::path file = scratch("bad.toml");
  Outer a;
  write_file_atomic(file, "rate = 1.0\n\n[sid]\nlevls = 3\n");
  try {
    OptionList(a).load_toml(file);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), file.string() + ":4");
    EXPECT_NE(e.cure().find("sid.levels"), std::string::npos);
  }
  write_file_atomic(file, "rate = \"fast\"\n");
  EXPECT_THROW(OptionList(a).load_toml(file), Error);
  write_file_atomic(file, "rate = = 3\n");
  EXPECT_THROW(OptionList(a).load_toml(file), Error);
}

TEST(Options, AKeyOfAnotherSectionIsNamedWhereItStands) {
  const fs::path file = scratch("moved.toml");
  Outer a;
  for (const auto& [text, place] :
       {std::pair{"[sid]\nrate = 0.5\n", "'rate'"}, std::pair{"levels = 3\n", "'sid.levels'"},
        std::pair{"[other]\nlevels = 3\n", "'sid.levels'"}}) {
    write_file_atomic(file, text);
    try {
      OptionList(a).load_toml(file);
      FAIL() << text;
    } catch (const Error& e) {
      EXPECT_NE(e.cure().find(place), std::string::npos) << e.cure();
    }
  }
}

struct Ranged {
  int rounds = 3;
  double rate = 0.5, share = 0.5;
  std::string kind = "auc";
  std::vector<std::string> kinds = {};
  Inner sid = {};
  template <class V>
  void visit(V& v) {
    v("rounds", rounds, "rounds", between(1, 100));
    v("rate", rate, "step", more_than(0));
    v("share", share, "a share", below(0, 1));
    v("kind", kind, "a kind", one_of({"auc", "ndcg", "gain"}));
    v("kinds", kinds, "kinds", one_of({"auc", "ndcg"}));
    v.section("sid", sid);
    v.rule([this] { return share <= rate; }, "share must not exceed rate");
  }
};

std::string refusal(const Ranged& values) {
  Ranged copy = values;
  try {
    OptionList(copy).check();
  } catch (const Error& e) {
    return e.message();
  }
  return "";
}

TEST(Options, ValuesOutOfRangeAreRefused) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({.rounds = 0}), "rounds must be 1 to 100 (it is 0)");
  EXPECT_EQ(refusal({.rounds = 101}), "rounds must be 1 to 100 (it is 101)");
  EXPECT_EQ(refusal({.rate = kNan}), "rate must be a positive number (it is nan)");
  EXPECT_EQ(refusal({.rate = 0}), "rate must be a positive number (it is 0.0)");
  EXPECT_EQ(refusal({.rate = kInfinity}), "rate must be a positive number (it is inf)");
  EXPECT_EQ(refusal({.share = 1}), "share must be 0 to less than 1 (it is 1.0)");
  EXPECT_EQ(refusal({.kind = "mrr"}), "kind must be auc, ndcg or gain (it is \"mrr\")");
  EXPECT_NE(refusal({.kinds = {"auc", "mrr"}}), "");
  EXPECT_EQ(refusal({.rate = 0.1}), "share must not exceed rate");
}

TEST(Options, AFileWithAValueOutOfRangeIsRefusedAtItsLine) {
  const fs::path file = scratch("range.toml");
  Ranged a;
  for (const char* const text : {"rounds = 2\nrate = nan\n", "rounds = 2\nrate = -inf\n"}) {
    write_file_atomic(file, text);
    try {
      OptionList(a).load_toml(file);
      FAIL() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.where(), file.string() + ":2");
    }
  }
}

TEST(Options, WhatIsNoNumberSurvivesToml) {
  const fs::path file = scratch("nan.toml");
  Outer a, b;
  a.rate = std::numeric_limits<double>::quiet_NaN();
  write_file_atomic(file, OptionList(a).to_toml());
  try {
    OptionList(b).load_toml(file);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "rate must be a finite number (it is nan)");
  }
}

TEST(Options, HelpShowsTheRange) {
  Ranged a;
  EXPECT_NE(OptionList(a).to_toml().find("# rounds; 1 to 100\nrounds = 3"), std::string::npos);
  CLI::App app;
  OptionList(a).add_flags(app);
  EXPECT_NE(app.help().find("a kind; auc, ndcg or gain"), std::string::npos);
}

TEST(Options, FlagsFollowTheDeclaration) {
  Outer a;
  CLI::App app;
  const OptionList list(a);
  list.add_flags(app);
  std::vector<std::string> arguments = {"9", "--sid.levels", "--fast"};
  app.parse(arguments);
  EXPECT_TRUE(a.fast);
  EXPECT_EQ(a.sid.levels, 9);
}

TEST(Options, AFlagTooLargeForItsTypeIsRefused) {
  for (const char* const text :
       {"9223372036854775808", "-9223372036854775809", "99999999999999999999"}) {
    Outer a;
    CLI::App app;
    OptionList(a).add_flags(app);
    std::vector<std::string> arguments = {text, "--sid.seed"};
    EXPECT_THROW(app.parse(arguments), CLI::ParseError) << text;
    arguments = {text, "--sid.levels"};
    EXPECT_THROW(app.parse(arguments), CLI::ParseError) << text;
  }
}

TEST(Parallel, CoversEveryIndexOnce) {
  std::vector<std::atomic<int>> hits(1001);
  parallel_for(4, hits.size(), 10, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) ++hits[i];
  });
  for (const auto& hit : hits) EXPECT_EQ(hit, 1);
}

TEST(Parallel, RethrowsTheFirstError) {
  EXPECT_THROW(parallel_for(4, 100, 1,
                            [](size_t begin, size_t) {
                              if (begin == 50) throw Error("no");
                            }),
               Error);
}

}  // namespace
}  // namespace podium
