#include "podium/serve/rerank_forms.h"

#include "podium/serve/test_api.h"

namespace podium::serve {
namespace {

class RerankFormsTest : public ApiTest {
 protected:
  // The indices in order; checks that scores are 0 to 1 and never rise.
  static std::vector<int> order(const Json& results, const char* score = "relevance_score") {
    std::vector<int> indices;
    double last = 1;
    for (const Json& result : results) {
      const double value = result[score];
      EXPECT_LE(value, last);
      EXPECT_GE(value, 0);
      last = value;
      indices.push_back(result["index"]);
    }
    return indices;
  }
};

TEST_F(RerankFormsTest, ThePolicyOrdersIdsAsInItsOwnForm) {
  const Json own =
      call("POST", "/v1/rerank", R"({"user": "u5", "candidates": ["i7", "i20", "i33"]})").second;
  std::vector<std::string> ids;
  for (const Json& item : own["items"]) ids.push_back(item["id"]);
  for (const char* query : {"user:u5", "u5"}) {
    for (const char* path : {"/v2/rerank", "/v1/rerank", "/rerank"}) {
      const auto [status, json] =
          call("POST", path,
               Json({{"model", "any"}, {"query", query}, {"documents", {"i7", "item:i20", "i33"}}})
                   .dump());
      ASSERT_EQ(status, 200) << json.dump();
      std::vector<std::string> told;
      for (const int index : order(json["results"])) {
        told.push_back(std::vector<std::string>{"i7", "i20", "i33"}[size_t(index)]);
      }
      EXPECT_EQ(told, ids) << query << path;
    }
  }
}

TEST_F(RerankFormsTest, AnAnswerThatMissesAnOffsetSaysSo) {
  const std::string body = R"({"query": "user:u5", "documents": ["i7", "i20"]})";
  EXPECT_EQ(call("POST", "/v1/rerank?min_offset=9", body).second["meta"]["warnings"],
            Json({"stale"}));
  EXPECT_FALSE(call("POST", "/v1/rerank", body).second["meta"].contains("warnings"));
  EXPECT_EQ(problem("POST", "/v1/rerank?min_offset=-1", body), "400 min_offset");
}

TEST_F(RerankFormsTest, TextsAreOrderedByLikeness) {
  const std::string body =
      R"({"query": "Thing 3 of kind 0", "texts": ["kind", "Thing 3 of kind 0", "zebra"], "return_text": true})";
  const auto [status, json] = call("POST", "/rerank", body);
  ASSERT_EQ(status, 200);
  EXPECT_EQ(order(json, "score").front(), 1);
  EXPECT_EQ(json[0]["text"], "Thing 3 of kind 0");
  EXPECT_NEAR(json[0]["score"].get<double>(), 1, 1e-3);
}

TEST_F(RerankFormsTest, TheFirstFormTakesObjectsAndFields) {
  const auto [status, json] = call(
      "POST", "/v1/rerank",
      R"({"query": "history:i1, i3", "top_n": 2, "return_documents": true, "rank_fields": ["title"],
          "documents": [{"id": "i5"}, {"title": "Thing 5 of kind 0", "author": "x"}, {"text": "i9"}]})");
  ASSERT_EQ(status, 200) << json.dump();
  EXPECT_EQ(json["results"].size(), 2u);
  EXPECT_EQ(json["object"], "list");
  EXPECT_EQ(json["meta"]["api_version"]["version"], "1");
  EXPECT_TRUE(json["results"][0].contains("document"));
}

TEST_F(RerankFormsTest, OneTheSameAndTooManyAreOrdered) {
  const auto indices = [&](const Json& documents) {
    const auto [status, json] =
        call("POST", "/v2/rerank", Json({{"query", "user:u5"}, {"documents", documents}}).dump());
    EXPECT_EQ(status, 200) << json.dump();
    auto all = order(json["results"]);
    std::ranges::sort(all);
    return all;
  };
  EXPECT_EQ(indices({"i3"}), (std::vector{0}));
  EXPECT_EQ(indices({"i3", "i3", "i4"}), (std::vector{0, 1, 2}));
  EXPECT_EQ(indices({"", "i3"}), (std::vector{0, 1}));
  Json many = Json::array();
  for (int i = 0; i < 130; ++i) many.push_back(fmt::format("text {}", i));
  EXPECT_EQ(indices(many).size(), 130u);
  EXPECT_EQ(indices({std::string(100000, 'x'), "i3"}).size(), 2u) << "cut, not refused";
}

TEST_F(RerankFormsTest, TellsWhatIsWrong) {
  EXPECT_EQ(problem("POST", "/v2/rerank", R"({"documents": ["a"]})"), "400 query");
  EXPECT_EQ(problem("POST", "/v2/rerank", R"({"query": "a", "documents": []})"), "400 documents");
  EXPECT_EQ(problem("POST", "/v2/rerank", R"({"query": "a", "documents": [7]})"),
            "400 documents[0]");
  EXPECT_EQ(problem("POST", "/v2/rerank", R"({"query": "a", "documents": ["b"], "top_n": -1})"),
            "400 top_n");
  EXPECT_EQ(problem("POST", "/rerank", R"({"query": "a", "texts": "b"})"), "400 texts");
}

}  // namespace
}  // namespace podium::serve
