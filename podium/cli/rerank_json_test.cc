#include "podium/cli/rerank_json.h"

#include <gtest/gtest.h>

#include "podium/base/json.h"

namespace podium::cli {
namespace {

SlateRequest good(std::string_view text) {
  auto result = parse_slate_line(text, 3);
  if (const auto* problem = std::get_if<SlateProblem>(&result)) {
    ADD_FAILURE() << problem->field << ": " << problem->message;
    return {};
  }
  return std::get<SlateRequest>(std::move(result));
}

SlateProblem bad(std::string_view text) {
  auto result = parse_slate_line(text, 3);
  if (!std::holds_alternative<SlateProblem>(result)) {
    ADD_FAILURE() << "accepted: " << text;
    return {};
  }
  return std::get<SlateProblem>(std::move(result));
}

std::string with_candidates(size_t n) {
  std::string list;
  for (size_t i = 0; i < n; ++i) list += (i ? "," : "") + std::to_string(i);
  return R"({"id":"q","candidates":[)" + list + "]}";
}

TEST(SlateJson, ReadsScoresAndSortsByThem) {
  const auto request =
      good(R"({"id":"q","history":["h1",2],"candidates":[{"item":"a","score":0.1},)"
           R"({"item":"b","score":2},{"item":7,"score":0.1}],"extra":null})");
  EXPECT_EQ(request.id, "q");
  EXPECT_EQ(request.line, 3u);
  EXPECT_EQ(request.history, (std::vector<std::string>{"h1", "2"}));
  ASSERT_EQ(request.candidates.size(), 3u);
  EXPECT_EQ(request.candidates[0].item, "b");
  EXPECT_EQ(request.candidates[1].item, "a");
  EXPECT_EQ(request.candidates[2].item, "7");
}

TEST(SlateJson, BareIdsKeepTheirOrder) {
  const auto request = good(R"({"id":5,"candidates":["z","a",{"item":"m"}]})");
  EXPECT_EQ(request.id, "5");
  EXPECT_EQ(request.candidates[0].item, "z");
  EXPECT_EQ(request.candidates[1].item, "a");
  EXPECT_EQ(request.candidates[2].item, "m");
}

TEST(SlateJson, ProblemsNameLineAndField) {
  EXPECT_EQ(bad("{").field, "");
  EXPECT_EQ(bad("[]").line, 3u);
  EXPECT_EQ(bad("{\"id\":\"\xff\",\"candidates\":[1,2]}").field, "");
  EXPECT_EQ(bad(R"({"candidates":[1,2]})").field, "id");
  EXPECT_EQ(bad(R"({"id":"","candidates":[1,2]})").field, "id");
  EXPECT_EQ(bad(R"({"id":1.5,"candidates":[1,2]})").field, "id");
  EXPECT_EQ(bad(R"({"id":"q"})").field, "candidates");
  EXPECT_EQ(bad(R"({"id":"q"})").id, "q");
  EXPECT_EQ(bad(R"({"id":"q","history":3,"candidates":[1,2]})").field, "history");
  EXPECT_EQ(bad(R"({"id":"q","history":[1,null],"candidates":[1,2]})").field, "history[1]");
  EXPECT_EQ(bad(R"({"id":"q","candidates":[1,{}]})").field, "candidates[1].item");
  EXPECT_EQ(bad(R"({"id":"q","candidates":[1,"1"]})").field, "candidates[1]");
  EXPECT_EQ(bad(R"({"id":"q","candidates":[1,{"item":2,"score":3}]})").field,
            "candidates[1].score");
  EXPECT_EQ(bad(R"({"id":"q","candidates":[{"item":2,"score":"3"},1]})").field,
            "candidates[0].score");
  EXPECT_EQ(bad(R"({"id":"q","candidates":[{"item":2,"score":1e300},1]})").field,
            "candidates[0].score");
}

TEST(SlateJson, BoundsOfCandidatesAndLines) {
  EXPECT_EQ(bad(with_candidates(1)).field, "candidates");
  EXPECT_EQ(good(with_candidates(2)).candidates.size(), 2u);
  EXPECT_EQ(good(with_candidates(100)).candidates.size(), 100u);
  EXPECT_EQ(bad(with_candidates(101)).field, "candidates");
  EXPECT_EQ(bad(std::string(kMaxLineBytes + 1, ' ')).field, "");
  EXPECT_EQ(
      bad(R"({"id":")" + std::string(kMaxIdBytes + 1, 'x') + R"(","candidates":[1,2]})").field,
      "id");
  EXPECT_EQ(bad(std::string(200000, '[')).field, "");
}

TEST(SlateJson, UnknownCandidatesAreProblemsUnknownHistoryIsLeftOut) {
  const FindItem find = [](std::string_view id) -> std::optional<rerank::ItemIndex> {
    if (id == "a") return 4;
    if (id == "b") return 9;
    return std::nullopt;
  };
  const auto known =
      to_slate(good(R"({"id":"q","history":["x","a"],"candidates":["b","a"]})"), find);
  ASSERT_TRUE(std::holds_alternative<rerank::Slate>(known));
  const auto& slate = std::get<rerank::Slate>(known);
  EXPECT_EQ(slate.history, std::vector<rerank::ItemIndex>{4});
  EXPECT_EQ(slate.candidates[0].item, 9u);
  EXPECT_GT(slate.candidates[0].upstream_score, slate.candidates[1].upstream_score);
  const auto unknown = to_slate(good(R"({"id":"q","candidates":["b","c"]})"), find);
  ASSERT_TRUE(std::holds_alternative<SlateProblem>(unknown));
  EXPECT_EQ(std::get<SlateProblem>(unknown).message, "item c is not in the catalogue");
}

TEST(SlateJson, Output) {
  const auto request = good(R"({"id":"q","candidates":["a","b","c"]})");
  EXPECT_EQ(ranking_line(request, std::vector<int>{2, 0, 1}, false, "say \"why\""),
            R"({"id":"q","ranking":["c","a","b"],"valid":true,"explanation":"say \"why\""})");
  EXPECT_EQ(ranking_line(request, {}, false, ""),
            R"({"id":"q","ranking":["a","b","c"],"valid":false})");
  EXPECT_EQ(ranking_line(request, std::vector<int>{0, 1, 2}, true, ""),
            R"({"id":"q","ranking":["a","b","c"],"valid":true,"late":true})");
  EXPECT_EQ(problem_line({3, "q", "id", "is empty"}),
            R"({"id":"q","error":{"line":3,"field":"id","message":"is empty"}})");
  EXPECT_EQ(problem_line({3, "", "", "not a JSON object"}),
            R"({"error":{"line":3,"field":"","message":"not a JSON object"}})");
}

}  // namespace
}  // namespace podium::cli
