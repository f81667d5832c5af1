#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "podium/base/scratch.h"
#include "podium/capi/podium.h"
#include "podium/serving/test_bundle.h"

namespace {

using Ids = std::vector<std::string>;

const char* const kHistory[] = {"i1", "i2"};
const char* const kCandidates[] = {"i5", "i9", "i7", "i30"};
const int64_t kNow = 20 * 86400;

class CapiTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    path_ = podium::serving::write_test_bundle(podium::scratch_dir("capi"));
    podium_open_options options = PODIUM_OPEN_OPTIONS_INIT;
    options.threads = 1;
    options.verify = 1;
    ASSERT_EQ(podium_open(path_.c_str(), &options, &bundle_), PODIUM_OK) << podium_error();
  }
  static void TearDownTestSuite() { podium_close(bundle_); }

  static podium_request of_user(const char* user, size_t k) {
    podium_request request = PODIUM_REQUEST_INIT;
    request.user = user;
    request.k = k;
    request.time = &kNow;
    return request;
  }
  static podium_request slate() {
    podium_request request = PODIUM_REQUEST_INIT;
    request.history = kHistory;
    request.history_size = 2;
    request.candidates = kCandidates;
    request.candidates_size = 4;
    return request;
  }
  static Ids ids(podium_answer* answer) {
    podium_answer_info info = PODIUM_ANSWER_INFO_INIT;
    EXPECT_EQ(podium_answer_get_info(answer, &info), PODIUM_OK);
    Ids out;
    for (size_t r = 0; r < info.size; ++r) {
      podium_item item = PODIUM_ITEM_INIT;
      EXPECT_EQ(podium_answer_get_item(answer, r, &item), PODIUM_OK);
      out.emplace_back(item.id);
    }
    podium_answer_free(answer);
    return out;
  }
  static podium_status rerank(const podium_request& request) {
    podium_answer* answer = nullptr;
    const podium_status status = podium_rerank(bundle_, &request, &answer);
    EXPECT_EQ(answer != nullptr, status == PODIUM_OK);
    podium_answer_free(answer);
    return status;
  }
  static podium_status recommend(const podium_request& request) {
    podium_answer* answer = nullptr;
    const podium_status status = podium_recommend(bundle_, &request, &answer);
    EXPECT_EQ(answer != nullptr, status == PODIUM_OK);
    podium_answer_free(answer);
    return status;
  }

  static inline podium::fs::path path_;
  static inline podium_bundle* bundle_ = nullptr;
};

TEST_F(CapiTest, ReranksToAPermutation) {
  podium_answer* answer = nullptr;
  podium_request request = slate();
  ASSERT_EQ(podium_rerank(bundle_, &request, &answer), PODIUM_OK) << podium_error();
  Ids got = ids(answer);
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (Ids{"i30", "i5", "i7", "i9"}));
  request.history = nullptr;
  request.history_size = 0;
  EXPECT_EQ(rerank(request), PODIUM_OK) << "somebody new";
}

TEST_F(CapiTest, RecommendsToUsersAndHistories) {
  podium_answer* answer = nullptr;
  podium_request request = of_user("u3", 12);
  ASSERT_EQ(podium_recommend(bundle_, &request, &answer), PODIUM_OK) << podium_error();
  const Ids got = ids(answer);
  EXPECT_EQ(std::set<std::string>(got.begin(), got.end()).size(), 12u);

  const int64_t times[] = {86400, 2 * 86400};
  request = PODIUM_REQUEST_INIT;
  request.history = kHistory;
  request.history_size = 2;
  request.times = times;
  request.time = &kNow;
  ASSERT_EQ(podium_recommend(bundle_, &request, &answer), PODIUM_OK) << podium_error();
  EXPECT_EQ(ids(answer).size(), 10u) << "k is 10 where it is not set";
}

TEST_F(CapiTest, TellsWhatAndWhy) {
  const char* const candidates[] = {"i5", "new", "i9", "i7"};
  const char* const history[] = {"i1", "i1.0", "i2"};
  podium_request request = slate();
  request.candidates = candidates;
  request.history = history;
  request.history_size = 3;
  request.explain = 1;
  podium_answer* answer = nullptr;
  ASSERT_EQ(podium_rerank(bundle_, &request, &answer), PODIUM_OK) << podium_error();
  podium_answer_info info = PODIUM_ANSWER_INFO_INIT;
  ASSERT_EQ(podium_answer_get_info(answer, &info), PODIUM_OK);
  EXPECT_EQ(info.history, 2u);
  EXPECT_EQ(info.history_shown, 2u);
  EXPECT_EQ(info.unknown_history, 1u);
  EXPECT_EQ(info.unknown_candidates, 1u);
  EXPECT_STRNE(info.explanation, "");
  EXPECT_STREQ(info.degraded, "");
  EXPECT_GT(info.policy_ms, 0);
  podium_item item = PODIUM_ITEM_INIT;
  ASSERT_EQ(podium_answer_get_item(answer, 1, &item), PODIUM_OK);
  EXPECT_STREQ(item.id, "new");
  EXPECT_EQ(item.known, 0);
  EXPECT_EQ(item.upstream_rank, 1u);
  EXPECT_EQ(podium_answer_get_item(answer, 4, &item), PODIUM_BAD_REQUEST);
  podium_answer_free(answer);

  request = of_user("u4", 5);
  request.explain = 1;
  ASSERT_EQ(podium_recommend(bundle_, &request, &answer), PODIUM_OK) << podium_error();
  ASSERT_EQ(podium_answer_get_item(answer, 0, &item), PODIUM_OK);
  EXPECT_STRNE(item.sources, "");
  EXPECT_STRNE(item.title, "");
  podium_answer_free(answer);
}

TEST_F(CapiTest, LateIsTold) {
  // The policy is opened by the first request, and many ask at once: a millisecond is not enough.
  podium_bundle* bundle = nullptr;
  ASSERT_EQ(podium_open(path_.c_str(), nullptr, &bundle), PODIUM_OK) << podium_error();
  podium_request request = slate();
  request.deadline_ms = 1;
  request.explain = 1;
  std::atomic<bool> late{false};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50 && !late; ++i) {
          podium_answer* answer = nullptr;
          ASSERT_EQ(podium_rerank(bundle, &request, &answer), PODIUM_OK) << podium_error();
          podium_answer_info info = PODIUM_ANSWER_INFO_INIT;
          podium_answer_get_info(answer, &info);
          if (std::string(info.degraded) == "policy late") late = true;
          EXPECT_EQ(ids(answer).size(), 4u);
        }
      });
    }
  }
  EXPECT_TRUE(late);
  podium_close(bundle);
}

TEST_F(CapiTest, StructsOfOtherSizes) {
  // An older program's request ends before `explain`; what lies behind it is not read.
  podium_request older = slate();
  older.struct_size = offsetof(podium_request, explain);
  older.explain = 77;
  older.deadline_ms = -5;
  EXPECT_EQ(rerank(older), PODIUM_OK) << podium_error();

  // A newer program's is longer: fine as long as it asks for nothing that is not known here.
  struct {
    podium_request request;
    uint64_t added;
  } newer = {slate(), 0};
  newer.request.struct_size = sizeof(newer);
  EXPECT_EQ(rerank(newer.request), PODIUM_OK) << podium_error();
  newer.added = 1;
  EXPECT_EQ(rerank(newer.request), PODIUM_BAD_REQUEST);

  podium_request unset = slate();
  unset.struct_size = 0;
  EXPECT_EQ(rerank(unset), PODIUM_BAD_REQUEST);

  // What is filled in stops where the caller's struct does.
  podium_answer* answer = nullptr;
  const podium_request request = slate();
  ASSERT_EQ(podium_rerank(bundle_, &request, &answer), PODIUM_OK);
  podium_item item = PODIUM_ITEM_INIT;
  item.struct_size = offsetof(podium_item, title);
  item.title = "untouched";
  ASSERT_EQ(podium_answer_get_item(answer, 0, &item), PODIUM_OK);
  EXPECT_STRNE(item.id, "");
  EXPECT_STREQ(item.title, "untouched");
  podium_answer_free(answer);
}

TEST_F(CapiTest, FaultsAreToldApart) {
  const char* const twice[] = {"i5", "i5"};
  const char* const null[] = {"i5", nullptr};
  for (const auto& [candidates, size] :
       {std::pair{twice, size_t{2}}, {null, 2}, {kCandidates, 1}, {kCandidates, 0}}) {
    podium_request request = slate();
    request.candidates = candidates;
    request.candidates_size = size;
    EXPECT_EQ(rerank(request), PODIUM_BAD_REQUEST);
    EXPECT_STRNE(podium_error(), "");
  }
  podium_request request = slate();
  request.history = nullptr;
  EXPECT_EQ(rerank(request), PODIUM_BAD_REQUEST);
  request = slate();
  request.user = "u3";
  EXPECT_EQ(rerank(request), PODIUM_BAD_REQUEST) << "a user and a history";
  EXPECT_EQ(recommend(slate()), PODIUM_BAD_REQUEST) << "candidates";
  request = slate();
  request.deadline_ms = -1;
  EXPECT_EQ(rerank(request), PODIUM_BAD_REQUEST);
  EXPECT_EQ(recommend(of_user("u3", 1001)), PODIUM_BAD_REQUEST);
  EXPECT_EQ(recommend(of_user("", 3)), PODIUM_BAD_REQUEST);
  EXPECT_EQ(recommend(of_user("nobody", 3)), PODIUM_NOT_FOUND);
  EXPECT_NE(std::string(podium_error()).find("nobody"), std::string::npos);
  podium_answer* answer = nullptr;
  EXPECT_EQ(podium_rerank(nullptr, nullptr, &answer), PODIUM_BAD_REQUEST);
  EXPECT_EQ(podium_rerank(bundle_, nullptr, &answer), PODIUM_BAD_REQUEST);
  request = slate();
  EXPECT_EQ(podium_rerank(bundle_, &request, nullptr), PODIUM_BAD_REQUEST);
  EXPECT_EQ(podium_answer_get_info(nullptr, nullptr), PODIUM_BAD_REQUEST);
  podium_answer_free(nullptr);
}

TEST_F(CapiTest, WhatCannotBeOpenedSaysWhy) {
  podium_bundle* bundle = bundle_;
  EXPECT_EQ(podium_open("/no/such/bundle", nullptr, &bundle), PODIUM_NOT_FOUND);
  EXPECT_EQ(bundle, nullptr);
  EXPECT_NE(std::string(podium_error()).find("/no/such/bundle"), std::string::npos);
  EXPECT_EQ(podium_open(nullptr, nullptr, &bundle), PODIUM_BAD_REQUEST);
  podium_open_options options = PODIUM_OPEN_OPTIONS_INIT;
  options.threads = -1;
  EXPECT_EQ(podium_open(path_.c_str(), &options, &bundle), PODIUM_BAD_REQUEST);
  podium_close(nullptr);
}

TEST_F(CapiTest, EventsAndErasureCountAtOnce) {
  podium_bundle* bundle = nullptr;
  ASSERT_EQ(podium_open(path_.c_str(), nullptr, &bundle), PODIUM_OK) << podium_error();
  const podium_request request = of_user("u5", 10);
  podium_answer* answer = nullptr;
  ASSERT_EQ(podium_recommend(bundle, &request, &answer), PODIUM_OK);
  const Ids before = ids(answer);
  ASSERT_EQ(podium_add_event(bundle, "u5", before[0].c_str(), kNow - 5), PODIUM_OK);
  ASSERT_EQ(podium_recommend(bundle, &request, &answer), PODIUM_OK);
  const Ids after = ids(answer);
  EXPECT_EQ(std::count(after.begin(), after.end(), before[0]), 0);
  ASSERT_EQ(podium_erase_user(bundle, "u5"), PODIUM_OK);
  ASSERT_EQ(podium_recommend(bundle, &request, &answer), PODIUM_OK);
  podium_answer_info info = PODIUM_ANSWER_INFO_INIT;
  podium_answer_get_info(answer, &info);
  EXPECT_EQ(info.history, 0u);
  podium_answer_free(answer);
  EXPECT_EQ(podium_add_event(bundle, "u5", "", 1), PODIUM_BAD_REQUEST);
  EXPECT_EQ(podium_add_event(bundle, nullptr, "i1", 1), PODIUM_BAD_REQUEST);
  podium_close(bundle);
}

TEST_F(CapiTest, ManyThreadsOpenAskAndClose) {
  const podium_request request = slate();
  podium_answer* answer = nullptr;
  ASSERT_EQ(podium_rerank(bundle_, &request, &answer), PODIUM_OK);
  const Ids expected = ids(answer);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      podium_bundle* own = nullptr;
      podium_open_options options = PODIUM_OPEN_OPTIONS_INIT;
      options.threads = 1;
      ASSERT_EQ(podium_open(path_.c_str(), &options, &own), PODIUM_OK) << podium_error();
      for (int i = 0; i < 10; ++i) {
        podium_answer* mine = nullptr;
        ASSERT_EQ(podium_rerank(i % 2 ? own : bundle_, &request, &mine), PODIUM_OK);
        EXPECT_EQ(ids(mine), expected);
        EXPECT_EQ(podium_add_event(own, "guest", "i1", i), PODIUM_OK);
        EXPECT_EQ(podium_erase_user(own, t % 2 ? "guest" : "u1"), PODIUM_OK);
      }
      podium_close(own);
    });
  }
}

TEST_F(CapiTest, ErrorsBelongToTheirThread) {
  EXPECT_EQ(podium_rerank(nullptr, nullptr, nullptr), PODIUM_BAD_REQUEST);
  std::string other = "x";
  std::thread([&] { other = podium_error(); }).join();
  EXPECT_EQ(other, "");
  EXPECT_EQ(podium_api_version(), PODIUM_API_VERSION);
}

TEST_F(CapiTest, TheExampleRuns) {
  const auto out = path_.parent_path() / "example.txt";
  const std::string command =
      std::string(PODIUM_C_EXAMPLE) + " " + path_.string() + " u3 6 > " + out.string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream lines(out);
  std::multiset<std::string> recommended, reranked;
  for (std::string kind, id; lines >> kind >> id;) {
    (kind == "rerank" ? reranked : recommended).insert(id);
  }
  EXPECT_EQ(recommended.size(), 6u);
  EXPECT_EQ(recommended, reranked);
}

}  // namespace
