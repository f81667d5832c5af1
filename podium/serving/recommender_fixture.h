// What the tests of the recommender share: a tiny bundle, and requests of its users.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/serving/recommender.h"
#include "podium/serving/test_bundle.h"

namespace podium::serving {

using Ids = std::vector<std::string>;

class RecommenderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    path_ = write_test_bundle(scratch("recommender"));
    bundle_ = Bundle::open(path_);
  }
  static void TearDownTestSuite() {
    bundle_.reset();
    fs::remove_all(path_.parent_path());
  }

  static Ids ids(const Answer& answer) {
    Ids out;
    for (const AnswerItem& item : answer.items) out.push_back(item.id);
    return out;
  }
  static Ids items_of(const std::string& user) {
    const data::Dataset& dataset = bundle_->dataset();
    Ids out;
    for (const auto item : dataset.items_of(*dataset.find_user(user))) {
      out.emplace_back(dataset.item_id(item));
    }
    return out;
  }
  static Request of_user(const std::string& user, size_t k = 10) {
    Request request;
    request.user = user;
    request.k = k;
    request.time = 20 * 86400;
    return request;
  }
  static Request slate(int first, int size) {
    Request request = of_user("u3");
    for (int i = 0; i < size; ++i) request.candidates.push_back(fmt::format("i{}", first + i));
    return request;
  }
  static std::string error_of(const Recommender& recommender, const Request& request) {
    try {
      recommender.answer(request);
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  }
  static std::shared_ptr<MemoryState> state() { return std::make_shared<MemoryState>(); }

  static inline fs::path path_;
  static inline std::shared_ptr<const Bundle> bundle_;
  Recommender recommender_{bundle_, state(), {.threads = 2}};
};

}  // namespace podium::serving
