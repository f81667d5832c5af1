#include "podium/serving/serving.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/serving/test_bundle.h"

namespace podium::serving {
namespace {

class ServingTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    bundle_ = write_test_bundle(scratch("serving"));
    serving_ = Serving::open(bundle_, 2).release();
  }
  static void TearDownTestSuite() {
    delete serving_;
    fs::remove_all(bundle_.parent_path());
  }

  static std::vector<data::ItemIndex> items(const Served& served) {
    std::vector<data::ItemIndex> out;
    for (const ServedItem& item : served.items) out.push_back(item.item);
    return out;
  }
  static data::UserIndex user(const char* id) { return *serving_->dataset().find_user(id); }
  static rerank::Slate slate(const std::string& id, size_t first, size_t k) {
    rerank::Slate s;
    s.id = id;
    const auto history = serving_->dataset().items_of(user("u3"));
    s.history.assign(history.begin(), history.end());
    for (size_t i = 0; i < k; ++i) {
      s.candidates.push_back({.item = data::ItemIndex(first + i), .upstream_score = float(k - i)});
    }
    return s;
  }

  static inline fs::path bundle_;
  static inline Serving* serving_ = nullptr;
};

TEST_F(ServingTest, RecommendsUnseenItemsOnce) {
  for (const bool explain : {false, true}) {
    const retrieval::Query query = serving_->query_of(user("u1"));
    const Served served = serving_->recommend(query, 15, explain);
    EXPECT_TRUE(served.valid);
    ASSERT_EQ(served.items.size(), 15u);
    const auto got = items(served);
    EXPECT_EQ(std::set<data::ItemIndex>(got.begin(), got.end()).size(), 15u);
    for (const data::ItemIndex item : query.history) {
      EXPECT_EQ(std::count(got.begin(), got.end(), item), 0) << "seen before";
    }
    EXPECT_EQ(served.explanation.empty(), !explain);
  }
}

TEST_F(ServingTest, ThePolicyReordersTheFirstKAndNothingElse) {
  const Served served = serving_->recommend(serving_->query_of(user("u2")), 15, false);
  std::vector<int> first;
  for (size_t r = 0; r < 10; ++r) first.push_back(served.items[r].upstream_rank);
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end())) << "random weights copy nothing";
  std::sort(first.begin(), first.end());
  for (int r = 0; r < 10; ++r) EXPECT_EQ(first[size_t(r)], r);
  for (int r = 10; r < 15; ++r) EXPECT_EQ(served.items[size_t(r)].upstream_rank, r);
  const Served few = serving_->recommend(serving_->query_of(user("u2")), 3, false);
  const auto all = items(served);
  EXPECT_EQ(items(few), std::vector<data::ItemIndex>(all.begin(), all.begin() + 3));
}

TEST_F(ServingTest, SomebodyNewGetsItemsToo) {
  std::vector<int64_t> times;
  const Served served = serving_->recommend(serving_->query_of({}, times), 10, false);
  EXPECT_EQ(served.items.size(), 10u);
}

TEST_F(ServingTest, BatchesDoNotChangeAnswers) {
  const std::vector<rerank::Slate> slates = {slate("a", 0, 10), slate("b", 20, 4),
                                             slate("c", 5, 30)};
  for (const bool trace : {false, true}) {
    const auto together = serving_->rerank(slates, trace);
    ASSERT_EQ(together.size(), 3u);
    for (size_t i = 0; i < slates.size(); ++i) {
      const auto alone = serving_->rerank({slates[i]}, trace);
      EXPECT_EQ(items(alone[0]), items(together[i]));
      EXPECT_EQ(alone[0].explanation, together[i].explanation);
      auto sorted = items(together[i]);
      std::sort(sorted.begin(), sorted.end());
      for (size_t c = 0; c < sorted.size(); ++c) {
        EXPECT_EQ(sorted[c], slates[i].candidates[c].item) << "a permutation of the slate";
      }
    }
  }
  EXPECT_EQ(serving_->invalid_answers(), 0u);
}

TEST_F(ServingTest, PastTheDeadlineTheUpstreamOrderIsServed) {
  const rerank::Slate s = slate("a", 0, 10);
  for (const bool trace : {false, true}) {
    const Served served = serving_->rerank({s}, trace, runtime::Clock::now())[0];
    EXPECT_TRUE(served.late);
    EXPECT_TRUE(served.valid);
    EXPECT_TRUE(served.explanation.empty());
    for (size_t i = 0; i < 10; ++i) EXPECT_EQ(served.items[i].upstream_rank, int(i));
    EXPECT_FALSE(serving_->rerank({s}, trace)[0].late);
  }
}

TEST_F(ServingTest, ForeignSlatesGetOurEvidence) {
  rerank::Slate s = slate("a", 0, 10);
  for (auto& candidate : s.candidates) candidate.evidence.fill(3);  // claims do not count
  const auto served = serving_->rerank({s}, false);
  const bool all_three =
      std::all_of(served[0].items.begin(), served[0].items.end(), [](const ServedItem& item) {
        return std::all_of(item.evidence.begin(), item.evidence.end(),
                           [](uint8_t level) { return level == 3; });
      });
  EXPECT_FALSE(all_three);
}

TEST_F(ServingTest, RefusesWhatItCannotServe) {
  const retrieval::Query query = serving_->query_of(user("u1"));
  EXPECT_THROW(serving_->recommend(query, 0, false), Error);
  EXPECT_THROW(serving_->recommend(query, 1001, false), Error);
  EXPECT_THROW(serving_->rerank({slate("one", 0, 1)}, false), Error);
  EXPECT_THROW(Serving::open(bundle_ / "dataset", 1), Error);
  EXPECT_THROW(Serving::open(bundle_ / "missing", 1), Error);
}

TEST_F(ServingTest, DamagedBundlesAreRefused) {
  for (const char* part : {"policy/model.safetensors", "upstream/ranker.json", "options.toml"}) {
    const fs::path copy = bundle_.parent_path() / "damaged";
    fs::remove_all(copy);
    fs::copy(bundle_, copy, fs::copy_options::recursive);
    fs::resize_file(copy / part, fs::file_size(copy / part) / 2);
    EXPECT_THROW(Serving::open(copy, 1), Error) << part;
  }
}

TEST_F(ServingTest, InvalidAnswersLeaveTheUpstreamOrder) {
  const rerank::Slate s = slate("a", 0, 3);
  EXPECT_TRUE(in_order(s, std::vector<int>{2, 0, 1}).valid);
  EXPECT_EQ(in_order(s, std::vector<int>{2, 0, 1}).items[0].upstream_rank, 2);
  for (const std::vector<int>& bad :
       {std::vector<int>{}, {0, 1}, {0, 1, 1}, {0, 1, 3}, {0, 1, -1}, {0, 1, 2, 3}}) {
    const Served served = in_order(s, bad);
    EXPECT_FALSE(served.valid);
    ASSERT_EQ(served.items.size(), 3u);
    for (int r = 0; r < 3; ++r) EXPECT_EQ(served.items[size_t(r)].upstream_rank, r);
  }
}

TEST_F(ServingTest, TracesNameItemsByTitle) {
  const sid::SidModel sids = sid::load_sid(bundle_ / "sid");
  const data::Dataset& dataset = serving_->dataset();
  const rerank::Slate s = slate("a", 0, 2);
  const std::string sid = sids.table.spell(s.candidates[1].item);
  const std::string title = fmt::format(" \"{}\"", dataset.title(s.candidates[1].item));
  EXPECT_EQ(readable_trace("<c_2>" + sid + " similar. best<c_2>", s, dataset, sids.table),
            title + " similar. best" + title);
  EXPECT_EQ(readable_trace("a" + sid + "<c_99>", s, dataset, sids.table), "a" + title + "<c_99>");
  // A semantic ID of no item shown is left out, whole or cut short.
  EXPECT_EQ(readable_trace("<c_2><s_a_9><s_b_1> fits", s, dataset, sids.table), title + " fits");
  EXPECT_EQ(readable_trace("a<s_a_9>", s, dataset, sids.table), "a");
  EXPECT_EQ(readable_trace("<s_a_9>" + sid, s, dataset, sids.table), title);
  EXPECT_EQ(readable_trace("<s_", s, dataset, sids.table), "<s_");
}

}  // namespace
}  // namespace podium::serving
