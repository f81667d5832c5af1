// What comes after training, and from several threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "podium/serving/reasons.h"
#include "podium/serving/recommender_fixture.h"

namespace podium::serving {
namespace {

class RecommenderLiveTest : public RecommenderTest {};

TEST_F(RecommenderLiveTest, AnEventChangesTheNextAnswer) {
  Recommender recommender(bundle_, state());
  const Ids before = ids(recommender.answer(of_user("u7")));
  recommender.add_event("u7", {before.front(), 19 * 86400});
  const Answer after = recommender.answer(of_user("u7"));
  EXPECT_EQ(after.history, items_of("u7").size() + 1);
  const Ids now = ids(after);
  EXPECT_EQ(std::count(now.begin(), now.end(), before.front()), 0) << "seen now";

  // As if the whole history had been given.
  Request given = of_user("u7");
  given.user.clear();
  given.history = items_of("u7");
  given.history.push_back(before.front());
  const auto times = bundle_->dataset().times_of(*bundle_->dataset().find_user("u7"));
  given.times.assign(times.begin(), times.end());
  given.times.push_back(19 * 86400);
  EXPECT_EQ(now, ids(recommender.answer(given)));

  // Somebody whom the bundle has never seen, and an item that it does not know.
  recommender.add_event("newcomer", {"i3", 5});
  recommender.add_event("newcomer", {"unknown thing", 6});
  const Answer newcomer = recommender.answer(of_user("newcomer"));
  EXPECT_EQ(newcomer.history, 1u);
  EXPECT_EQ(newcomer.unknown_history, 1u);
  EXPECT_THROW(recommender.add_event("", {"i3", 5}), Error);
  EXPECT_THROW(recommender.add_event("u", {std::string(513, 'x'), 5}), Error);
}

TEST_F(RecommenderLiveTest, AnEventThatTheBundleWasTrainedOnCountsOnce) {
  Recommender recommender(bundle_, state());
  const Answer before = recommender.answer(of_user("u7"));
  for (const LiveEvent& event : bundle_->events_of("u7")) recommender.add_event("u7", event);
  const Answer after = recommender.answer(of_user("u7"));
  EXPECT_EQ(after.history, before.history);
  EXPECT_EQ(ids(after), ids(before));
  LiveEvent again = bundle_->events_of("u7").front();
  again.time += 1;
  recommender.add_event("u7", again);
  EXPECT_EQ(recommender.answer(of_user("u7")).history, before.history + 1) << "another moment";
}

TEST_F(RecommenderLiveTest, AnErasedUserIsSomebodyNew) {
  Recommender recommender(bundle_, state());
  recommender.add_event("u8", {"i3", 19 * 86400});
  recommender.state().erase_user("u8");
  const Answer answer = recommender.answer(of_user("u8"));
  EXPECT_EQ(answer.history, 0u);
  Request nobody;
  nobody.time = 20 * 86400;
  EXPECT_EQ(ids(answer), ids(recommender.answer(nobody)));
  recommender.add_event("u8", {"i4", 19 * 86400});
  EXPECT_EQ(recommender.answer(of_user("u8")).history, 1u);
}

TEST_F(RecommenderLiveTest, AnItemAddedAfterTrainingIsFoundRankedAndShown) {
  Recommender recommender(bundle_, state(), {.threads = 2});
  Request request;
  request.history = {"i8", "i9", "i10"};
  request.time = 20 * 86400;
  request.k = 38;
  request.explain = true;
  const Ids before = ids(recommender.answer(request));
  // The text of an item of the same kind, so that content cannot miss it.
  const LiveItem item{.id = "fresh",
                      .title = "Thing 11 of kind 1",
                      .brand = "brand2",
                      .description = "",
                      .categories = {"Shop", "Kind 1"},
                      .price = 10};
  recommender.put_items(std::span(&item, 1));
  const Answer answer = recommender.answer(request);
  const auto found = std::find_if(answer.items.begin(), answer.items.end(),
                                  [](const AnswerItem& i) { return i.id == "fresh"; });
  ASSERT_NE(found, answer.items.end());
  EXPECT_EQ(found->title, item.title);
  EXPECT_EQ(sources(*found, *bundle_), Ids{"content"});
  EXPECT_EQ(found->evidence[rerank::kCategory], 3) << "all three of its kind";
  EXPECT_EQ(found->evidence[rerank::kBrand], 1) << "i8 is of brand2";
  EXPECT_EQ(found->evidence[rerank::kPrice], 3);
  EXPECT_GT(found->evidence[rerank::kSimilar], 0);
  EXPECT_EQ(found->evidence[rerank::kTogether] + found->evidence[rerank::kPopular], 0);

  // As a candidate, and then in the history: no longer recommended.
  Request slate;
  slate.history = request.history;
  slate.candidates = {"i11", "fresh", "i30"};
  slate.explain = true;
  const Answer ranked = recommender.answer(slate);
  EXPECT_EQ(ranked.unknown_candidates, 0u);
  recommender.add_event("guest", {"i8", 18 * 86400});
  recommender.add_event("guest", {"fresh", 19 * 86400});
  request.history.clear();
  request.user = "guest";
  const Answer seen = recommender.answer(request);
  EXPECT_EQ(seen.history, 2u);
  EXPECT_EQ(seen.unknown_history, 0u);
  const Ids others = ids(seen);
  EXPECT_EQ(std::count(others.begin(), others.end(), "fresh"), 0);

  // A bundle opened over the same state knows it too; removed, it is gone.
  const Recommender second(bundle_, std::shared_ptr<LiveState>(&recommender.state(), [](auto*) {}));
  EXPECT_EQ(second.answer(slate).unknown_candidates, 0u);
  EXPECT_TRUE(recommender.remove_item("fresh"));
  EXPECT_FALSE(recommender.remove_item("fresh"));
  EXPECT_EQ(recommender.answer(slate).unknown_candidates, 1u);
  request.user.clear();
  request.history = {"i8", "i9", "i10"};
  EXPECT_EQ(ids(recommender.answer(request)), before);
}

TEST_F(RecommenderLiveTest, AddedItemsGetSemanticIdsOfTheirOwn) {
  std::vector<LiveItem> items;
  for (int i = 0; i < 5; ++i) {
    items.push_back({.id = fmt::format("new{}", i),
                     .title = "Thing of kind 1",
                     .brand = "",
                     .description = "",
                     .categories = {"Kind 1"}});
  }
  items.push_back({.id = "i3", .title = "known", .brand = "", .description = "", .categories = {}});
  const auto first_shared = AddedItems(*bundle_).put(std::span(items).first(2));
  const auto shared = first_shared->all_of(items);
  const AddedItems &first = *first_shared, &added = *shared;
  EXPECT_EQ(added.size(), 5u) << "the bundle knows i3 itself";
  std::set<std::vector<uint16_t>> given;
  for (const LiveItem& item : std::span(items).first(5)) {
    const auto name = added.name(*added.find(item.id));
    EXPECT_TRUE(given.insert(name.codes).second) << item.id;
    for (data::ItemIndex i = 0; i < bundle_->dataset().items(); ++i) {
      EXPECT_NE(sid::spell(name.codes), bundle_->sids().table.spell(i));
    }
    if (first.find(item.id)) {
      EXPECT_EQ(first.name(*first.find(item.id)).codes, name.codes);
    }
  }
}

// kept_lists.h: the answers of one that keeps them, asked twice, and of a fresh one each time.
TEST_F(RecommenderLiveTest, ListsThatAreKeptChangeNoAnswer) {
  const auto scores = [](const Answer& answer) {
    std::vector<std::pair<std::string, float>> all;
    for (const AnswerItem& item : answer.items) all.emplace_back(item.id, item.score);
    return all;
  };
  const auto shared = state();
  Recommender keeping(bundle_, shared);
  const std::vector<LiveItem> items = {
      {.id = "new", .title = "Thing of kind 1", .categories = {"Kind 1"}}};
  for (int round = 0; round < 3; ++round) {
    for (const int first : {0, 5, 10, 0}) {
      Request request = slate(first, 8);
      if (round == 2) request.candidates.emplace_back("new");
      EXPECT_EQ(scores(keeping.answer(request)),
                scores(Recommender(bundle_, shared).answer(request)))
          << "round " << round << ", from i" << first;
    }
    if (round == 0) keeping.add_event("u3", {"i2", 19 * 86400});
    if (round == 1) keeping.put_items(items);
  }
}

TEST_F(RecommenderLiveTest, ThreadsGetTheAnswersOfOne) {
  std::vector<Request> requests;
  for (int u = 0; u < 12; ++u) requests.push_back(of_user(fmt::format("u{}", u)));
  for (int s = 0; s < 12; ++s) requests.push_back(slate(s, 10));
  std::vector<Ids> alone(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) alone[i] = ids(recommender_.answer(requests[i]));
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = size_t(t); i < requests.size() + size_t(t); ++i) {
          const size_t at = i % requests.size();
          if (ids(recommender_.answer(requests[at])) != alone[at]) ++wrong;
          recommender_.add_event(fmt::format("guest{}", t), {"i1", int64_t(i)});
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(RecommenderLiveTest, WhatWasSubmittedIsAnsweredBeforeItCloses) {
  std::atomic<int> answered{0};
  {
    const Recommender recommender(bundle_, state());
    for (int i = 0; i < 20; ++i) {
      recommender.submit(slate(i, 10), [&](const Answer& answer, const std::exception_ptr& error) {
        if (!error && answer.items.size() == 10) ++answered;
      });
    }
    recommender.submit(of_user("nobody"), [&](const Answer&, const std::exception_ptr& error) {
      if (error) ++answered;
    });
  }
  EXPECT_EQ(answered, 21);
}

}  // namespace
}  // namespace podium::serving
