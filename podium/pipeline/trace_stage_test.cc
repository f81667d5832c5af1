// The stage `traces`, whole.
#include <gtest/gtest.h>

#include "podium/base/scratch.h"
#include "podium/llm/test_chat_server.h"
#include "podium/pipeline/test_run.h"

namespace podium::pipeline {
namespace {

// Whatever it is shown, c_1 is best.
llm::TestReply first_is_best(const Json& request, int) {
  const std::string text = request["messages"][1]["content"];
  Json names = Json::array();
  for (int i = 1; text.find("\"c_" + std::to_string(i) + "\",\"title") != std::string::npos; ++i) {
    names.push_back("c_" + std::to_string(i));
  }
  return llm::says(
      Json{{"explanation", "A walk. c_1 is near."}, {"recommendations", names}}.dump());
}

TEST(Pipeline, TracesComeFromAnEndpointAndNoneIsPaidForTwice) {
  const fs::path root = scratch_dir("endpoint");
  write_shop(root / "shop", 100, 8, walk);
  const llm::TestChatServer server(first_is_best);
  PipelineRequest request = request_for(root, "traces");
  request.options.prompt.claims = false;
  request.options.teacher = {
      .kind = "endpoint", .draws = 1, .tries = 2, .shuffle_share = 0.5, .model = "m"};
  request.options.endpoint = {.base_url = server.url(), .max_tokens = 6000};
  const Error spent = error_of(request);
  EXPECT_NE(spent.message().find("the budget is spent"), std::string::npos) << spent.message();
  const int before = server.requests();
  EXPECT_GT(before, 0);
  request.options.endpoint.max_tokens = 0;  // results do not depend on it: no --retrain
  run_pipeline(request);
  const fs::path dir = request.out / "stages/traces";
  const Json report = read_json(dir / "traces.json");
  EXPECT_EQ(report["teacher"], "endpoint");
  EXPECT_EQ(report["endpoint"]["answers"], server.requests());
  EXPECT_EQ(report["endpoint"]["requests"], server.requests() - before);
  EXPECT_EQ(report["invalid_rate"], 0);
  EXPECT_GT(report["accept_rate"], 0);
  EXPECT_LT(report["accept_rate"], 1);
  EXPECT_EQ(report["grounded"], 1);
  EXPECT_EQ(report["consistent"], 1);
  EXPECT_EQ(report["repeats"], 0);
  const int asked = server.requests();
  const std::string traces = read_file(dir / "traces.jsonl");
  fs::remove_all(dir);
  run_pipeline(request);
  EXPECT_EQ(server.requests(), asked);
  EXPECT_EQ(read_file(dir / "traces.jsonl"), traces);

  write_file_atomic(root / "instructions", read_file(dir / "teacher_template.txt") + "Be brief.\n");
  request.options.teacher.prompt_file = root / "instructions";
  EXPECT_NE(error_of(request).cure().find("--retrain"), std::string::npos);
}

TEST(Pipeline, ATeacherThatNeverAnswersIsReportedAsItIs) {
  const fs::path root = scratch_dir("mute");
  write_shop(root / "shop", 60, 6, walk);
  const llm::TestChatServer server([](const Json&, int) { return llm::says("I cannot."); });
  PipelineRequest request = request_for(root, "traces");
  request.options.prompt.claims = false;
  request.options.teacher = {.kind = "endpoint", .draws = 1, .tries = 2, .model = "m"};
  request.options.endpoint.base_url = server.url();
  run_pipeline(request);
  const Json report = read_json(request.out / "stages/traces/traces.json");
  EXPECT_EQ(report["invalid_rate"], 1);
  EXPECT_EQ(report["coverage"], 0);
  EXPECT_TRUE(report["grounded"].is_null());
  EXPECT_EQ(report["endpoint"]["answers"], server.requests());
  EXPECT_EQ(report["endpoint"]["invalid"]["is no JSON"], 2 * report["traces"].get<int>());
}

TEST(Pipeline, TheEvidenceTeachersTracesAreGrounded) {
  const fs::path root = scratch_dir("evidence");
  write_shop(root / "shop", 100, 8, walk);
  const PipelineRequest request = request_for(root, "traces");
  run_pipeline(request);
  const Json report = read_json(request.out / "stages/traces/traces.json");
  EXPECT_GT(report["traces"], 100);
  EXPECT_EQ(report["grounded"], 1);
  EXPECT_EQ(report["consistent"], 1);
  EXPECT_EQ(report["repeats"], 0);
  EXPECT_EQ(report["invalid_rate"], 0);
  EXPECT_TRUE(report["endpoint"].is_null());
}

}  // namespace
}  // namespace podium::pipeline
