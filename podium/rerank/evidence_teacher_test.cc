#include "podium/rerank/evidence_teacher.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>

#include "podium/rerank/grammar.h"
#include "podium/rerank/reward.h"
#include "podium/rerank/test_world.h"
#include "podium/rerank/trace_text.h"

namespace podium::rerank {
namespace {

class EvidenceTeacherTest : public testing::Test {
 protected:
  // Reads a trace back against the slate; every clause must be true of it.
  void expect_true(const PromptContext& context, const Slate& slate, const TeacherTrace& sample) {
    const std::string text = world_.tokenizer().decode(sample.trace);
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(
        text, parts, std::regex(R"(pattern: ([^.<]*)\.((?:<c_\d+> [^<]*)+) best(<c_\d+>))")))
        << text;
    expect_pattern(context, slate, parts[1]);
    const std::string clauses = parts[2];
    const std::regex clause(R"((<c_\d+>) ([^<.;]*)[.;])");
    std::vector<int> cited;
    for (std::sregex_iterator at(clauses.begin(), clauses.end(), clause), end; at != end; ++at) {
      cited.push_back(candidate_of(slate, (*at)[1]));
      expect_evidence(slate.candidates.at(cited.back()).evidence, (*at)[2]);
    }
    EXPECT_EQ(cited.size(), 2u) << text;
    EXPECT_TRUE(std::is_sorted(cited.begin(), cited.end()));
    EXPECT_EQ(parts[3], fmt::format("<c_{}>", sample.order[0] + 1));
    EXPECT_NE(std::find(cited.begin(), cited.end(), sample.order[0]), cited.end());
  }

  int candidate_of(const Slate& slate, const std::string& spelled) {
    for (size_t i = 0; i < slate.candidates.size(); ++i) {
      if (fmt::format("<c_{}>", i + 1) == spelled) return int(i);
    }
    ADD_FAILURE() << spelled << " is not in the slate";
    return 0;
  }

  static void expect_evidence(const Evidence& evidence, const std::string& text) {
    if (text == "no evidence") {
      for (int level : evidence) EXPECT_EQ(level, 0);
      return;
    }
    for (size_t begin = 0; begin < text.size();) {
      const size_t comma = std::min(text.find(", ", begin), text.size());
      const std::string claim = text.substr(begin, comma - begin);
      begin = comma + 2;
      bool found = false;
      for (int kind = 0; kind < kEvidenceKinds; ++kind) {
        const std::string phrase(evidence_phrase(EvidenceKind(kind)));
        const int level = evidence[kind];
        found |= claim == phrase + " strong" && level == 3;
        found |= claim == phrase && level == 2;
        found |= claim == phrase + " weak" && level == 1;
      }
      EXPECT_TRUE(found) << claim;
    }
  }

  void expect_pattern(const PromptContext& context, const Slate& slate, std::string claim) {
    std::map<std::string, int> count;
    int most = 0;
    const size_t shown = std::min<size_t>(context.options.max_history, slate.history.size());
    for (size_t i = slate.history.size() - shown; i < slate.history.size(); ++i) {
      std::string name(world_.dataset().categories(slate.history[i]).back());
      std::replace(name.begin(), name.end(), '"', ' ');
      most = std::max(most, ++count[name]);
    }
    if (claim == "unknown") {
      EXPECT_EQ(shown, 0u);
    } else if (claim == "mixed") {
      EXPECT_EQ(most, 1);
    } else {
      int cited = 0;  // a long name may be cut after a word
      for (const auto& [name, n] : count) {
        if (name.starts_with(claim)) cited = std::max(cited, n);
      }
      EXPECT_EQ(cited, most) << claim;
    }
  }

  TestWorld world_;
};

TEST_F(EvidenceTeacherTest, EveryClauseIsTrueAndShort) {
  PromptOptions options;
  options.max_history = 4;
  const auto context = world_.context(options);
  const auto mask = trace_mask(world_.tokenizer(), world_.vocabulary());
  size_t longest = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    const Slate slate = world_.random_slate(rng, 2 + int(rng.below(12)), int(rng.below(7)));
    const auto sample = EvidenceTeacher(1.0).sample(context, slate, rng);
    ASSERT_TRUE(is_permutation_of(sample.order, slate.candidates.size()));
    expect_true(context, slate, sample);
    for (TokenId token : sample.trace) EXPECT_TRUE(mask[token]) << token;
    longest = std::max(longest, sample.trace.size());
    const auto answer = build_answer(context, slate, sample.trace, true, sample.order);
    EXPECT_EQ(parse_answer(context, slate, answer).order, sample.order);
  }
  EXPECT_LE(longest, 48u);
}

TEST_F(EvidenceTeacherTest, LabelsNeverInfluenceASample) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    Slate slate = world_.random_slate(rng, 10);
    Rng one(seed), two(seed);
    const auto before = EvidenceTeacher(1.0).sample(world_.context(), slate, one);
    for (auto& candidate : slate.candidates) candidate.gain = uint8_t(rng.below(4));
    const auto after = EvidenceTeacher(1.0).sample(world_.context(), slate, two);
    EXPECT_EQ(before.trace, after.trace);
    EXPECT_EQ(before.order, after.order);
  }
}

TEST_F(EvidenceTeacherTest, TemperatureZeroFollowsTheRanker) {
  Rng rng(5);
  const Slate slate = world_.random_slate(rng, 6);
  EXPECT_EQ(EvidenceTeacher(0).sample(world_.context(), slate, rng).order,
            (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST_F(EvidenceTeacherTest, SamplingIsPlackettLuce) {
  Slate slate;
  slate.candidates = {{.item = 0, .upstream_score = 1}, {.item = 1, .upstream_score = 0}};
  Rng rng(6);
  int first = 0;
  for (int i = 0; i < 2000; ++i) {
    first += EvidenceTeacher(1.0).sample(world_.context(), slate, rng).order[0] == 0;
  }
  // The scores lie two deviations apart. The margin is more than three deviations of the count.
  EXPECT_NEAR(first / 2000.0, 1 / (1 + std::exp(-2.0)), 0.025);
}

}  // namespace
}  // namespace podium::rerank
