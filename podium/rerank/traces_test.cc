#include "podium/rerank/traces.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/rerank/evidence_teacher.h"
#include "podium/rerank/test_world.h"

namespace podium::rerank {
namespace {

// Names the candidates from last to first, and says so.
class BackwardsTeacher : public Teacher {
 public:
  std::vector<TeacherTrace> answer(const PromptContext& context,
                                   std::span<const TeacherQuestion> questions, int) const override {
    std::vector<TeacherTrace> traces;
    for (const TeacherQuestion& question : questions) {
      TeacherTrace trace{context.tokenizer.encode("pattern: mixed."), {}};
      for (size_t i = question.slate->candidates.size(); i-- > 0;) trace.order.push_back(int(i));
      traces.push_back(std::move(trace));
    }
    return traces;
  }
};

// Gives no answer to every second draw, nor to the first attempt of any.
class MumblingTeacher : public BackwardsTeacher {
 public:
  std::vector<TeacherTrace> answer(const PromptContext& context,
                                   std::span<const TeacherQuestion> questions,
                                   int threads) const override {
    auto traces = BackwardsTeacher::answer(context, questions, threads);
    for (size_t i = 0; i < traces.size(); ++i) {
      if (questions[i].draw % 2 == 1 || questions[i].attempt == 0) traces[i] = {};
    }
    return traces;
  }
};

class TracesTest : public testing::Test {
 protected:
  std::vector<Slate> slates(int count) const {
    Rng rng(8);
    std::vector<Slate> all;
    for (int i = 0; i < count; ++i) {
      all.push_back(world_.random_slate(rng, 10));
      all.back().candidates[0].gain = 1;
      all.back().candidates[1].gain = 0;
    }
    return all;
  }
  std::vector<Trace> drawn(const std::vector<Slate>& all, const TeacherOptions& options,
                           int threads = 1) const {
    return draw_traces(world_.context(), all, EvidenceTeacher(options.temperature), options, 9,
                       threads);
  }

  TestWorld world_;
};

TEST_F(TracesTest, OnlyAPositiveFirstIsAccepted) {
  auto all = slates(40);
  for (auto& candidate : all[3].candidates) candidate.gain = 0;
  const auto traces = drawn(all, {.draws = 3});
  ASSERT_EQ(traces.size(), 3u * 39);  // none of the slate that has no positive
  size_t accepted = 0, shuffled = 0;
  for (const Trace& trace : traces) {
    const auto slate =
        std::find_if(all.begin(), all.end(), [&](const Slate& s) { return s.id == trace.slate; });
    ASSERT_NE(slate, all.end());
    const Slate shown = as_shown(*slate, trace.shown);
    EXPECT_EQ(trace.accepted, shown.candidates[size_t(trace.teacher.order[0])].gain > 0);
    EXPECT_EQ(trace.accepted || trace.tries == 8, true);
    accepted += trace.accepted;
    shuffled += !std::is_sorted(trace.shown.begin(), trace.shown.end());
  }
  EXPECT_GT(shuffled, 30u);
  EXPECT_LT(shuffled, 87u);
  const TraceSummary summary = summary_of(traces);
  EXPECT_DOUBLE_EQ(summary.coverage, double(accepted) / double(traces.size()));
  EXPECT_GT(summary.accept_rate, 0.2);
  EXPECT_LT(summary.accept_rate, 1.0);
}

TEST_F(TracesTest, DrawsDifferAndThreadsDoNotMatter) {
  const auto all = slates(70);
  const TeacherOptions options{.draws = 2};
  const auto traces = drawn(all, options, 1);
  EXPECT_EQ(traces, drawn(all, options, 3));
  size_t equal = 0;
  for (size_t i = 0; i < traces.size(); i += 2) {
    equal += traces[i].teacher.order == traces[i + 1].teacher.order;
  }
  EXPECT_LT(equal, 10u);
}

TEST_F(TracesTest, AnyTeacherCanBeAsked) {
  const auto all = slates(5);
  const auto traces = draw_traces(world_.context(), all, BackwardsTeacher(),
                                  {.draws = 1, .tries = 2, .shuffle_share = 0}, 1, 1);
  ASSERT_EQ(traces.size(), 5u);
  for (const Trace& trace : traces) EXPECT_EQ(trace.teacher.order.front(), 9);
}

TEST_F(TracesTest, SamplesThatAreNoAnswersAreCountedAndTriedAgain) {
  auto all = slates(4);
  for (Slate& slate : all) slate.candidates[9].gain = 1;
  const auto traces = draw_traces(world_.context(), all, MumblingTeacher(),
                                  {.draws = 2, .tries = 3, .shuffle_share = 0}, 1, 1);
  ASSERT_EQ(traces.size(), 8u);
  for (const Trace& trace : traces) {
    EXPECT_EQ(trace.accepted, trace.draw == 0);
    EXPECT_EQ(trace.tries, trace.draw == 0 ? 2 : 3);
    EXPECT_EQ(trace.invalid, trace.draw == 0 ? 1 : 3);
    EXPECT_EQ(trace.teacher.trace.empty(), trace.draw == 1);
    EXPECT_EQ(trace.teacher.order.front(), trace.draw == 0 ? 9 : 0);
  }
  EXPECT_DOUBLE_EQ(summary_of(traces).invalid_rate, 16.0 / 20);
  const fs::path dir = scratch_dir("mumbled");
  write_traces(dir, world_.tokenizer(), traces);
  EXPECT_EQ(read_traces(dir, world_.context()), traces);
}

TEST_F(TracesTest, TheFileIsReadableAndComesBackWhole) {
  const fs::path dir = scratch_dir("traces");
  const auto traces = drawn(slates(6), {.draws = 2});
  write_traces(dir, world_.tokenizer(), traces);
  EXPECT_EQ(read_traces(dir, world_.context()), traces);
  const std::string text = read_file(dir / "traces.jsonl");
  EXPECT_NE(text.find("\"trace\":\"pattern: "), std::string::npos);
  EXPECT_NE(text.find("<c_"), std::string::npos);
}

TEST_F(TracesTest, DamagedTracesAreRefusedAtTheirLine) {
  const fs::path dir = scratch_dir("damaged-traces");
  EXPECT_THROW(read_traces(dir, world_.context()), Error);
  const auto traces = drawn(slates(1), {.draws = 1, .shuffle_share = 0});
  write_traces(dir, world_.tokenizer(), traces);
  const std::string good = read_file(dir / "traces.jsonl");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& bad :
       {with("\"shown\":[0,1", "\"shown\":[0,0"), with("\"tokens\":[", "\"tokens\":[-7,"),
        with("\"tokens\":[", "\"tokens\":[99999999,"), with("\"tries\":", "\"tried\":"),
        with("\"draw\":0", "\"draw\":-1"), std::string("{\n")}) {
    write_file_atomic(dir / "traces.jsonl", good + bad);
    try {
      read_traces(dir, world_.context());
      FAIL() << bad;
    } catch (const Error& e) {
      EXPECT_NE(e.where().find("traces.jsonl:2"), std::string::npos) << e.where();
    }
  }
}

}  // namespace
}  // namespace podium::rerank
