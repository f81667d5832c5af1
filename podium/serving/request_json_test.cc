#include "podium/serving/request_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "podium/base/json.h"

namespace podium::serving {
namespace {

ParsedRequest good(std::string_view text, RequestKind kind = RequestKind::kRerank) {
  auto result = parse_request(text, 3, kind);
  if (const auto* problem = std::get_if<RequestProblem>(&result)) {
    ADD_FAILURE() << problem->field << ": " << problem->message;
    return {};
  }
  return std::get<ParsedRequest>(std::move(result));
}

RequestProblem bad(std::string_view text, RequestKind kind = RequestKind::kRerank) {
  auto result = parse_request(text, 3, kind);
  if (!std::holds_alternative<RequestProblem>(result)) {
    ADD_FAILURE() << "accepted: " << text;
    return {};
  }
  return std::get<RequestProblem>(std::move(result));
}

using Ids = std::vector<std::string>;

std::string with_candidates(size_t n) {
  std::string list;
  for (size_t i = 0; i < n; ++i) list += (i ? "," : "") + std::to_string(i);
  return R"({"id":"q","candidates":[)" + list + "]}";
}

TEST(RequestJson, ReadsScoresAndSortsByThem) {
  const auto line = good(R"({"id":"q","history":["h1",2],"candidates":[{"item":"a","score":0.1},)"
                         R"({"item":"b","score":2},{"item":7,"score":0.1}]})");
  EXPECT_EQ(line.id, "q");
  EXPECT_EQ(line.line, 3u);
  EXPECT_EQ(line.request.history, (Ids{"h1", "2"}));
  EXPECT_EQ(line.request.candidates, (Ids{"b", "a", "7"}));
}

TEST(RequestJson, BareIdsKeepTheirOrder) {
  const auto line = good(R"({"id":5,"candidates":["z","a",{"item":"m"}]})");
  EXPECT_EQ(line.id, "5");
  EXPECT_EQ(line.request.candidates, (Ids{"z", "a", "m"}));
}

TEST(RequestJson, ReadsUsersTimesAndDeadlines) {
  const auto line = good(R"({"id":"q","user":196,"time":12,"candidates":["a","b"],"explain":true,)"
                         R"("deadline_ms":5})");
  EXPECT_EQ(line.request.user, "196");
  EXPECT_EQ(line.request.time, 12);
  EXPECT_TRUE(line.request.explain);
  EXPECT_EQ(line.deadline_ms, 5);
  const auto recommend =
      good(R"({"id":"q","history":["a","b"],"times":[5,5],"k":3})", RequestKind::kRecommend);
  EXPECT_EQ(recommend.request.times, (std::vector<int64_t>{5, 5}));
  EXPECT_EQ(recommend.request.k, 3u);
  EXPECT_FALSE(recommend.request.time.has_value());
}

TEST(RequestJson, ProblemsNameLineAndField) {
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
  EXPECT_EQ(bad(R"({"id":"q","user":"u","history":[1],"candidates":[1,2]})").field, "history");
  EXPECT_EQ(bad(R"({"id":"q","history":[1],"times":[1,2],"candidates":[1,2]})").field, "times");
  EXPECT_EQ(bad(R"({"id":"q","times":[1],"candidates":[1,2]})").field, "times");
  EXPECT_EQ(bad(R"({"id":"q","history":[1,2],"times":[2,1],"candidates":[1,2]})").field,
            "times[1]");
  EXPECT_EQ(bad(R"({"id":"q","time":"now","candidates":[1,2]})").field, "time");
  EXPECT_EQ(bad(R"({"id":"q","time":1.5,"candidates":[1,2]})").field, "time");
  EXPECT_EQ(bad(R"({"id":"q","time":18446744073709551615,"candidates":[1,2]})").field, "time");
  for (const char* const wrong : {"-1", "1700000000000"}) {
    const auto time = bad(fmt::format(R"({{"id":"q","time":{},"candidates":[1,2]}})", wrong));
    EXPECT_EQ(time.field, "time");
    EXPECT_NE(time.message.find("unix seconds"), std::string::npos) << time.message;
    EXPECT_EQ(
        bad(fmt::format(R"({{"id":"q","history":[1],"times":[{}],"candidates":[1,2]}})", wrong))
            .field,
        "times[0]");
  }
  EXPECT_EQ(bad(R"({"id":"q","explain":1,"candidates":[1,2]})").field, "explain");
  EXPECT_EQ(bad(R"({"id":"q","deadline_ms":-1,"candidates":[1,2]})").field, "deadline_ms");
  EXPECT_EQ(bad(R"({"id":"q","k":0})", RequestKind::kRecommend).field, "k");
  EXPECT_EQ(bad(R"({"id":"q","k":1001})", RequestKind::kRecommend).field, "k");
}

TEST(RequestJson, UnknownFieldsGetTheNearestName) {
  const auto typo = bad(R"({"id":"typo","histroy":[1],"candidates":[1,2]})");
  EXPECT_EQ(typo.field, "histroy");
  EXPECT_EQ(typo.message, "unknown field, did you mean history?");
  EXPECT_EQ(typo.id, "typo");
  EXPECT_EQ(bad(R"({"id":"q","k":3,"candidates":[1,2]})").field, "k")
      << "every candidate comes back";
  EXPECT_EQ(bad(R"({"id":"q","candidates":[1,2]})", RequestKind::kRecommend).field, "candidates");
  const auto nested = bad(R"({"id":"q","candidates":[{"item":1,"scor":3},2]})");
  EXPECT_EQ(nested.field, "candidates[0].scor");
  EXPECT_EQ(nested.message, "unknown field, did you mean score?");
}

TEST(RequestJson, BoundsOfCandidatesAndLines) {
  EXPECT_EQ(bad(with_candidates(1)).field, "candidates");
  EXPECT_EQ(good(with_candidates(2)).request.candidates.size(), 2u);
  EXPECT_EQ(good(with_candidates(100)).request.candidates.size(), 100u);
  EXPECT_EQ(bad(with_candidates(101)).field, "candidates");
  EXPECT_EQ(bad(std::string(kMaxLineBytes + 1, ' ')).field, "");
  EXPECT_EQ(
      bad(R"({"id":")" + std::string(kMostIdLength + 1, 'x') + R"(","candidates":[1,2]})").field,
      "id");
  EXPECT_EQ(bad(std::string(200000, '[')).field, "");
}

TEST(RequestJson, Output) {
  Answer answer;
  for (const char* id : {"c", "a", "b"}) {
    AnswerItem item;
    item.id = id;
    answer.items.push_back(item);
  }
  EXPECT_EQ(answer_line("q", answer), R"({"id":"q","ranking":["c","a","b"],"valid":true})");
  answer.explanation = "say \"why\"";
  answer.unknown_history = 1;
  EXPECT_EQ(answer_line("q", answer),
            R"({"id":"q","ranking":["c","a","b"],"valid":true,"explanation":"say \"why\"",)"
            R"("unknown_history":1})");
  answer.explanation.clear();
  answer.unknown_history = 0;
  answer.items[1].known = false;
  answer.degraded = {degraded::kPolicyLate};
  EXPECT_EQ(answer_line("q", answer),
            R"({"id":"q","ranking":["c","a","b"],"valid":true,"late":true,)"
            R"("unknown_candidates":["a"],"degraded":["policy late"]})");
  answer = {};
  answer.degraded = {degraded::kPolicyInvalid};
  EXPECT_EQ(answer_line("q", answer),
            R"({"id":"q","ranking":[],"valid":false,"degraded":["policy invalid"]})");
  EXPECT_EQ(problem_line({3, "q", "id", "is empty"}),
            R"({"id":"q","error":{"line":3,"field":"id","message":"is empty"}})");
  EXPECT_EQ(problem_line({3, "", "", "not a JSON object"}),
            R"({"error":{"line":3,"field":"","message":"not a JSON object"}})");
}

}  // namespace
}  // namespace podium::serving
