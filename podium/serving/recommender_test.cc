#include "podium/serving/recommender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "podium/serving/readable_trace.h"
#include "podium/serving/reasons.h"
#include "podium/serving/recommender_fixture.h"

namespace podium::serving {
namespace {

TEST_F(RecommenderTest, RecommendsUnseenItemsOnce) {
  for (const bool explain : {false, true}) {
    Request request = of_user("u1", 15);
    request.explain = explain;
    const Answer answer = recommender_.answer(request);
    EXPECT_TRUE(answer.degraded.empty());
    const Ids got = ids(answer), seen = items_of("u1");
    ASSERT_EQ(got.size(), 15u);
    EXPECT_EQ(std::set<std::string>(got.begin(), got.end()).size(), 15u);
    for (const std::string& id : seen) EXPECT_EQ(std::count(got.begin(), got.end(), id), 0);
    EXPECT_EQ(answer.explanation.empty(), !explain);
    EXPECT_EQ(answer.history, seen.size());
    for (const AnswerItem& item : answer.items) {
      EXPECT_FALSE(sources(item, *bundle_).empty());
      EXPECT_FALSE(item.title.empty());
    }
    EXPECT_GT(answer.took.retrieval, 0);
    EXPECT_GT(answer.took.ranking, 0);
    EXPECT_GT(answer.took.policy, 0);
  }
}

TEST_F(RecommenderTest, ThePolicyReordersTheFirstKAndNothingElse) {
  const Answer answer = recommender_.answer(of_user("u2", 15));
  std::vector<int> first;
  for (size_t r = 0; r < 10; ++r) first.push_back(answer.items[r].upstream_rank);
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end())) << "random weights copy nothing";
  std::sort(first.begin(), first.end());
  for (int r = 0; r < 10; ++r) EXPECT_EQ(first[size_t(r)], r);
  for (int r = 10; r < 15; ++r) EXPECT_EQ(answer.items[size_t(r)].upstream_rank, r);
  const Ids all = ids(answer);
  EXPECT_EQ(ids(recommender_.answer(of_user("u2", 3))), Ids(all.begin(), all.begin() + 3));
}

// Chosen from one state, an answer begins with the same name, and goes on by the same logits.
TEST_F(RecommenderTest, ABundleSaysHowManyNamesAreChosenFromOneState) {
  const fs::path copy =
      with_manifest(path_, [](Json& manifest) { manifest["content"]["serving"]["block"] = 10; });
  const Recommender in_blocks(Bundle::open(copy), state());
  size_t other = 0;
  for (int first = 0; first < 20; ++first) {
    const Request request = slate(first, 10);
    const Ids usual = ids(recommender_.answer(request)), blocks = ids(in_blocks.answer(request));
    EXPECT_EQ(blocks.front(), usual.front());
    EXPECT_TRUE(std::is_permutation(blocks.begin(), blocks.end(), usual.begin(), usual.end()));
    other += blocks != usual;
  }
  EXPECT_GT(other, 0u) << "random weights do not foresee what they choose";
  fs::remove_all(copy);
}

TEST_F(RecommenderTest, AskedForMoreThanTheBlendHoldsTheSourcesGiveMore) {
  const Answer usual = recommender_.answer(of_user("u2", 5));
  const Ids had = items_of("u2");
  const size_t unseen = 40 - std::set<std::string>(had.begin(), had.end()).size();
  const Answer all = recommender_.answer(of_user("u2", 1000));
  EXPECT_EQ(all.items.size(), unseen) << "every item that the user has not seen";
  const Ids few = ids(usual), many = ids(all);
  EXPECT_EQ(few, Ids(many.begin(), many.begin() + 5)) << "the first are the same for every k";
}

// The same shop with --seen decay: what a user has, bought a moment ago too, is a candidate.
TEST_F(RecommenderTest, WhereUsersBuyAgainTheirItemsAreAnswered) {
  const auto again = Bundle::open(write_test_bundle(scratch("buy-again"), 80, "decay"));
  Recommender recommender(again, state());
  const std::string last = items_of("u1").back();
  recommender.add_event("u1", {.item = last, .time = 19 * 86400});
  const Answer answer = recommender.answer(of_user("u1", 1000));
  const Ids got = ids(answer);
  for (const std::string& id : items_of("u1")) {
    EXPECT_EQ(std::count(got.begin(), got.end(), id), 1) << id;
  }
  EXPECT_EQ(answer.history, items_of("u1").size() + 1);
  const auto& names = again->source_names();
  EXPECT_NE(std::find(names.begin(), names.end(), "history"), names.end());
  const Ids without = ids(recommender_.answer(of_user("u1", 1000)));
  EXPECT_EQ(std::count(without.begin(), without.end(), last), 0);
}

TEST_F(RecommenderTest, SomebodyNewGetsItemsToo) {
  EXPECT_EQ(recommender_.answer(Request{}).items.size(), 10u);
}

TEST_F(RecommenderTest, AUserIsTheHistoryThatTheBundleHas) {
  const Answer by_name = recommender_.answer(of_user("u4"));
  Request given = of_user("u4");
  const data::UserIndex user = *bundle_->dataset().find_user("u4");
  given.user.clear();
  given.history = items_of("u4");
  const auto times = bundle_->dataset().times_of(user);
  given.times.assign(times.begin(), times.end());
  EXPECT_EQ(ids(by_name), ids(recommender_.answer(given)));
  Request reranked = slate(0, 10);
  const Ids by_user = ids(recommender_.answer(reranked));
  reranked.user.clear();
  EXPECT_NE(by_user, ids(recommender_.answer(reranked))) << "the user's history counts";
}

TEST_F(RecommenderTest, TheMomentAskedForReachesTheRanker) {
  // The same features as evaluation computes for the same moment; idle days among them.
  const data::UserIndex user = *bundle_->dataset().find_user("u5");
  const auto items = bundle_->dataset().items_of(user);
  const auto times = bundle_->dataset().times_of(user);
  for (const int64_t idle : {int64_t{0}, int64_t{3}, int64_t{400}}) {
    const int64_t now = times.back() + idle * 86400;
    const auto expected = bundle_->upstream().rank({items, times, now}, 40);
    Request request = of_user("u5", 40);
    request.time = now;
    const Answer answer = recommender_.answer(request);
    ASSERT_EQ(answer.items.size(), expected.size());
    for (const AnswerItem& item : answer.items) {
      EXPECT_EQ(item.id, bundle_->dataset().item_id(expected[size_t(item.upstream_rank)].item));
    }
    // Without a moment: the clock's.
    const Recommender later(bundle_, state(), {.unix_time = [&] { return now; }});
    request.time.reset();
    EXPECT_EQ(ids(later.answer(request)), ids(answer));
  }
}

TEST_F(RecommenderTest, BatchesDoNotChangeAnswers) {
  for (const bool explain : {false, true}) {
    std::vector<Request> requests = {slate(0, 10), slate(20, 4), slate(5, 30)};
    std::vector<std::future<Answer>> pending;
    for (Request& request : requests) {
      request.explain = explain;
      pending.push_back(recommender_.submit(request));
    }
    for (size_t i = 0; i < requests.size(); ++i) {
      const Answer together = pending[i].get(), alone = recommender_.answer(requests[i]);
      EXPECT_EQ(ids(alone), ids(together));
      EXPECT_EQ(alone.explanation, together.explanation);
      Ids sorted = ids(together), all = requests[i].candidates;
      std::sort(sorted.begin(), sorted.end());
      std::sort(all.begin(), all.end());
      EXPECT_EQ(sorted, all) << "a permutation of the slate";
    }
  }
  EXPECT_EQ(recommender_.invalid_answers(), 0u);
}

TEST_F(RecommenderTest, EachStagePastItsDeadlineHasItsFallback) {
  Request request = slate(0, 10);
  request.deadline = Clock::now();
  for (const bool explain : {false, true}) {
    request.explain = explain;
    const Answer answer = recommender_.answer(request);
    EXPECT_TRUE(answer.has(degraded::kPolicyLate));
    EXPECT_TRUE(answer.explanation.empty());
    EXPECT_EQ(ids(answer), request.candidates);
  }
  constexpr Clock::duration kAtOnce{0};
  const Request wanted = of_user("u6", 12);
  const auto answer_of = [&](const RecommenderOptions& options) {
    return Recommender(bundle_, state(), options).answer(wanted);
  };
  const data::UserIndex user = *bundle_->dataset().find_user("u6");
  const retrieval::Query query{bundle_->dataset().items_of(user), bundle_->dataset().times_of(user),
                               *wanted.time};

  const Answer no_policy = answer_of({.policy_until = kAtOnce});
  EXPECT_EQ(no_policy.degraded, std::vector{degraded::kPolicyLate});
  const auto ranked = bundle_->upstream().rank(query, 12);
  for (size_t r = 0; r < 12; ++r) {
    EXPECT_EQ(no_policy.items[r].id, bundle_->dataset().item_id(ranked[r].item));
  }

  const Answer no_ranking = answer_of({.ranking_until = kAtOnce});
  EXPECT_EQ(no_ranking.degraded, std::vector{degraded::kRankingLate});
  EXPECT_EQ(no_ranking.items.size(), 12u);

  const Answer popular = answer_of({.retrieval_until = kAtOnce, .policy_until = kAtOnce});
  EXPECT_EQ(popular.degraded, (std::vector{degraded::kRetrievalLate, degraded::kPolicyLate}));
  const auto best = bundle_->upstream().sources().popularity->retrieve(query, 12);
  for (size_t r = 0; r < 12; ++r) {
    EXPECT_EQ(popular.items[r].id, bundle_->dataset().item_id(best[r].item));
    EXPECT_EQ(sources(popular.items[r], *bundle_), Ids{"popularity"});
  }
}

TEST_F(RecommenderTest, UnknownCandidatesKeepTheirPlaces) {
  Request request = slate(0, 6);
  request.candidates.insert(request.candidates.begin() + 2, "new thing");
  request.candidates.push_back("another");
  const Answer answer = recommender_.answer(request);
  ASSERT_EQ(answer.items.size(), 8u);
  EXPECT_EQ(answer.items[2].id, "new thing");
  EXPECT_EQ(answer.items[7].id, "another");
  EXPECT_EQ(answer.unknown_candidates, 2u);
  for (size_t r = 0; r < 8; ++r) EXPECT_EQ(answer.items[r].known, r != 2 && r != 7);
  Ids known = ids(recommender_.answer(slate(0, 6)));
  known.insert(known.begin() + 2, "new thing");
  known.push_back("another");
  EXPECT_EQ(ids(answer), known) << "the known ones as if the unknown were not there";
  request.candidates = {"x", "y", "i1"};
  EXPECT_EQ(ids(recommender_.answer(request)), request.candidates);
}

TEST_F(RecommenderTest, UnknownHistoryIsCounted) {
  Request request;
  request.history = {"i1", "i1.0", "nothing", "i2"};
  const Answer answer = recommender_.answer(request);
  EXPECT_EQ(answer.history, 2u);
  EXPECT_EQ(answer.unknown_history, 2u);
  request.history = {"i1", "i2"};
  EXPECT_EQ(ids(answer), ids(recommender_.answer(request)));
}

TEST_F(RecommenderTest, RefusesWhatItCannotAnswer) {
  EXPECT_NE(error_of(recommender_, of_user("nobody")), "");
  EXPECT_NE(error_of(recommender_, of_user("u1", 0)), "");
  EXPECT_NE(error_of(recommender_, of_user("u1", 1001)), "");
  EXPECT_NE(error_of(recommender_, slate(0, 1)), "");
  EXPECT_NE(error_of(recommender_, slate(0, 101)), "");
  Request twice = slate(0, 3);
  twice.candidates.push_back("i1");
  EXPECT_EQ(error_of(recommender_, twice), "candidate 'i1' appears twice");
  Request both = of_user("u1");
  both.history = {"i1"};
  EXPECT_NE(error_of(recommender_, both), "");
  Request times;
  times.history = {"i1", "i2"};
  times.times = {1};
  EXPECT_NE(error_of(recommender_, times), "");
  times.times = {2, 1};
  EXPECT_NE(error_of(recommender_, times), "");
  times.times = {1, 2};
  EXPECT_EQ(error_of(recommender_, times), "");
  for (const int64_t wrong : {int64_t{-1}, int64_t{1'700'000'000'000}, INT64_MIN, INT64_MAX}) {
    times.time = wrong;
    EXPECT_NE(error_of(recommender_, times).find("unix seconds"), std::string::npos) << wrong;
    times.time = {};
    times.times = {std::min<int64_t>(wrong, 2), std::max<int64_t>(wrong, 2)};
    EXPECT_NE(error_of(recommender_, times).find("unix seconds"), std::string::npos) << wrong;
    times.times = {1, 2};
    Recommender recommender(bundle_, state());
    EXPECT_THROW(recommender.add_event("u1", {.item = "i1", .time = wrong}), Error);
  }
}

TEST_F(RecommenderTest, ForeignSlatesGetOurEvidence) {
  Request request = slate(0, 40);
  request.user.clear();
  request.history = {"i8", "i9"};
  const auto& sources = bundle_->upstream().sources();
  const auto levels =
      funnel::EvidenceLevels::from_json(read_json(path_ / "upstream" / "evidence.json"));
  const auto index = [&](const std::string& id) { return *bundle_->dataset().find_item(id); };
  const data::ItemIndex before = index("i8"), last = index("i9");
  const std::vector<float> mean = sources.content->mean(std::vector{before, last});
  // How many of a kind's three thresholds a positive value reaches.
  const auto level = [&](rerank::EvidenceKind kind, float value) {
    return std::count_if(levels.thresholds[kind].begin(), levels.thresholds[kind].end(),
                         [&](float threshold) { return value > 0 && value >= threshold; });
  };
  std::set<int> seen_levels;
  for (const AnswerItem& answer : recommender_.answer(request).items) {
    const data::ItemIndex item = index(answer.id);
    const auto& met = *sources.covisitation;
    const rerank::Evidence& got = answer.evidence;
    SCOPED_TRACE(answer.id);
    EXPECT_EQ(got[rerank::kTogether], level(rerank::kTogether, met.near(last, item)));
    EXPECT_EQ(
        got[rerank::kHistory],
        level(rerank::kHistory, met.affinity(last, item) + 0.8F * met.affinity(before, item)));
    EXPECT_EQ(got[rerank::kSimilar],
              level(rerank::kSimilar, sources.content->similarity(mean, item)));
    EXPECT_EQ(got[rerank::kSequence], 0) << "there is no SASRec";
    EXPECT_EQ(got[rerank::kPopular],
              level(rerank::kPopular, std::log1p(float(sources.popularity->count(item)))));
    // Kind 1 is of items 8 to 15: both of the history. Brands go round by three: i8 is of brand 2,
    // i9 of brand 0. Prices are 1 + number: the history's mean is 9.5.
    const int number = std::stoi(answer.id.substr(1));
    EXPECT_EQ(got[rerank::kCategory], number / 8 == 1 ? 2 : 0);
    EXPECT_EQ(got[rerank::kBrand], number % 3 == 1 ? 0 : 1);
    const double distance = std::abs(std::log((1.0 + number) / 9.5));
    EXPECT_EQ(got[rerank::kPrice], distance < 0.2 ? 3 : distance < 0.5 ? 2 : distance < 1 ? 1 : 0);
    seen_levels.insert(got.begin(), got.end());
  }
  EXPECT_EQ(seen_levels, (std::set<int>{0, 1, 2, 3})) << "nothing is compared with a constant";
}

TEST(ApplyOrder, InvalidAnswersLeaveTheUpstreamOrder) {
  std::vector<AnswerItem> items(4);
  for (int i = 0; i < 4; ++i) items[size_t(i)].upstream_rank = i;
  const std::vector<size_t> places = {0, 1, 3};
  for (const std::vector<int>& bad :
       {std::vector<int>{}, {0, 1}, {0, 1, 1}, {0, 1, 3}, {0, 1, -1}, {0, 1, 2, 3}}) {
    EXPECT_FALSE(apply_order(bad, places, items));
    for (int r = 0; r < 4; ++r) EXPECT_EQ(items[size_t(r)].upstream_rank, r);
  }
  EXPECT_TRUE(apply_order(std::vector<int>{2, 0, 1}, places, items));
  EXPECT_EQ(items[0].upstream_rank, 3);
  EXPECT_EQ(items[1].upstream_rank, 0);
  EXPECT_EQ(items[2].upstream_rank, 2);
  EXPECT_EQ(items[3].upstream_rank, 1);
}

TEST_F(RecommenderTest, TracesNameItemsByTitle) {
  const data::Dataset& dataset = bundle_->dataset();
  const sid::SidTable& sids = bundle_->sids().table;
  rerank::Slate s;
  for (const data::ItemIndex item : {0U, 1U}) s.candidates.push_back({.item = item});
  const std::string sid = sids.spell(1), title = fmt::format(" \"{}\"", dataset.title(1));
  EXPECT_EQ(readable_trace("<c_2>" + sid + " similar. best<c_2>", s, dataset, sids),
            title + " similar. best" + title);
  EXPECT_EQ(readable_trace("a" + sid + "<c_99>", s, dataset, sids), "a" + title + "<c_99>");
  // A semantic ID of no item shown is left out, whole or cut short.
  EXPECT_EQ(readable_trace("<c_2><s_a_9><s_b_1> fits", s, dataset, sids), title + " fits");
  EXPECT_EQ(readable_trace("a<s_a_9>", s, dataset, sids), "a");
  EXPECT_EQ(readable_trace("<s_a_9>" + sid, s, dataset, sids), title);
  EXPECT_EQ(readable_trace("<s_", s, dataset, sids), "<s_");
}

TEST(ReadableTrace, ACharacterThatIsCutShortIsNotSettled) {
  EXPECT_EQ(settled(""), 0U);
  EXPECT_EQ(settled("caf\u00E9"), 5U);
  EXPECT_EQ(settled("a\uFFFD\uFFFD"), 1U) << "the next token may complete it";
  EXPECT_EQ(settled("a\uFFFDb"), 5U);
}

}  // namespace
}  // namespace podium::serving
