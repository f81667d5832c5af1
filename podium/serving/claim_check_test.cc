#include "podium/serving/claim_check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/data/simulate.h"
#include "podium/serving/explain.h"
#include "podium/text/plain_text.h"

namespace podium::serving {
namespace {

using rerank::EvidenceKind;

constexpr Day kToday = 19723 + 200;  // the shop opened on day 19723

struct TrueClaim {
  Subject subject;
  Claim claim;
};

// A made-up shop after training: users who came back, some erased, newcomers, new items.
class ClaimCheckTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = scratch("claims");
    data::simulate({.users = 500, .items = 400, .days = 200, .impressions = false}, dir_, "shop");
    dataset_ = std::make_unique<data::Dataset>(data::Dataset::open(dir_));
    index_ = std::make_unique<ClaimIndex>(*dataset_);
    Rng rng(5);
    sids_ = {.levels = 3, .codes_per_level = 8, .codes = {}};
    for (size_t i = 0; i < 3 * dataset_->items(); ++i)
      sids_.codes.push_back(uint16_t(rng.below(8)));
  }
  static void TearDownTestSuite() {
    index_.reset();
    dataset_.reset();
    fs::remove_all(dir_);
  }

  ClaimCheckTest() {
    std::vector<LiveItem> added;
    for (int i = 0; i < 5; ++i) {
      added.push_back(facts(item(rng_)));
      added.back().id = fmt::format("new{}", i);
      added.back().time = i % 2 == 0 ? 0 : (kToday - i) * 86400;
    }
    state_.put_items(added);
    for (int u = 0; u < 120; ++u) {
      const std::string id = u % 3 == 0 ? fmt::format("newcomer{}", u) : user(rng_);
      if (u % 8 == 1) state_.erase_user(id);
      for (int e = 0; e < int(rng_.below(6)); ++e) {
        const std::string taken = e == 0 ? added[size_t(u) % 5].id : item(rng_);
        state_.add_event(id, {taken, (kToday - int64_t(rng_.below(20))) * 86400 + e});
      }
    }
  }

  static std::string user(Rng& rng) {
    return std::string(dataset_->user_id(data::UserIndex(rng.below(dataset_->users()))));
  }
  static std::string item(Rng& rng) {
    return std::string(dataset_->item_id(data::ItemIndex(rng.below(dataset_->items()))));
  }
  LiveItem facts(const std::string& id) const { return *data_.item(id); }
  Reasons explained(const Subject& subject, std::span<const Explained> items) const {
    return explain(data_, *index_, subject, items, {.most = 20, .today = kToday});
  }
  std::string problem(const Subject& subject, const Claim& claim) const {
    return claim_problems(data_, subject, {&claim, 1}).front();
  }

  // All that can be said of some items to many people.
  std::vector<TrueClaim> true_claims() {
    std::vector<TrueClaim> claims;
    std::vector<EvidenceKind> all;
    for (int kind = 0; kind < rerank::kEvidenceKinds; ++kind) all.push_back(EvidenceKind(kind));
    for (int s = 0; s < 60; ++s) {
      Subject subject{.user = s % 5 == 0 ? fmt::format("newcomer{}", s) : user(rng_)};
      if (s % 6 == 5) subject = {.user = {}, .history = {item(rng_), item(rng_)}, .times = {1, 9}};
      std::vector<Explained> items = {{"new1", all}, {"new2", {}}};
      for (int i = 0; i < 6; ++i) items.push_back({item(rng_), all});
      const LiveHistory live = state_.history_of(subject.user);
      if (!live.events.empty()) items.push_back({live.events.back().item, {}});
      const Reasons reasons = explained(subject, items);
      for (const Dropped& dropped : reasons.dropped) {
        EXPECT_FALSE(dropped.said.empty()) << claim_name(dropped.claim.kind) << " of "
                                           << dropped.claim.item << ": " << dropped.why;
      }
      for (const auto& of_item : reasons.of) {
        for (const Reason& reason : of_item) claims.push_back({subject, reason.claim});
      }
    }
    return claims;
  }

  static inline fs::path dir_;
  static inline std::unique_ptr<data::Dataset> dataset_;
  static inline std::unique_ptr<ClaimIndex> index_;
  static inline sid::SidTable sids_;
  MemoryState state_;
  const ClaimData data_{*dataset_, sids_, true, state_};
  Rng rng_{7};
};

// Makes a true claim false in one field, at random.
class Falsifier {
 public:
  Falsifier(const ClaimData& data, Rng& rng) : data_(data), rng_(rng) {}

  // False: the claim has none such, or is true by chance as it was changed.
  bool item_unknown(TrueClaim& told) const { return told.claim.item += "?", true; }
  bool item_other(TrueClaim& told) const {
    return told.claim.item = other_item(told.claim), !by_chance(told.claim);
  }
  bool other_unknown(TrueClaim& told) const {
    if (told.claim.other.empty()) return false;
    return told.claim.other += "?", true;
  }
  bool other_never_taken(TrueClaim& told) const {
    if (told.claim.other.empty()) return false;
    return told.claim.other = other_item(told.claim), true;
  }
  bool user(TrueClaim& told) const {
    if (told.claim.other.empty()) return false;
    const auto someone = data::UserIndex(rng_.below(data_.dataset.users()));
    return told.subject = {.user = std::string(data_.dataset.user_id(someone))}, true;
  }
  bool count(TrueClaim& told) const {
    if (told.claim.count == 0) return false;
    const size_t by = 1 + rng_.below(3);
    const bool less = rng_.below(2) == 0 && told.claim.count >= by;
    return told.claim.count += less ? -by : by, true;
  }
  bool date(TrueClaim& told) const {
    if (!told.claim.date) return false;
    const auto by = Day(1 + rng_.below(100));
    *told.claim.date += rng_.below(2) == 0 ? by : -by;
    return told.claim.kind != ClaimKind::kPopular || !by_chance(told.claim);
  }
  bool category(TrueClaim& told) const {
    if (told.claim.category.empty()) return false;
    const auto own = facts(told.claim.item).categories;
    while (holds(own, told.claim.category)) {
      const auto theirs = some_item().categories;
      told.claim.category = theirs[rng_.below(theirs.size())];
    }
    return true;
  }
  bool brand(TrueClaim& told) const {
    const std::string before = told.claim.brand;
    if (before.empty()) return false;
    while (told.claim.brand == before) told.claim.brand = some_item().brand;
    return true;
  }
  bool word(TrueClaim& told) const {
    if (told.claim.words.empty()) return false;
    const auto own = text::lower_words(facts(told.claim.item).title);
    std::string& word = told.claim.words[rng_.below(told.claim.words.size())];
    while (holds(own, word)) word = text::lower_words(some_item().title).back();
    return true;
  }
  bool price(TrueClaim& told) const {
    if (told.claim.kind != ClaimKind::kPrice) return false;
    float* const prices[] = {&told.claim.price, &told.claim.low, &told.claim.high};
    return *prices[rng_.below(3)] += rng_.below(2) == 0 ? 0.01F : -1.0F, true;
  }

 private:
  static bool holds(const std::vector<std::string>& all, const std::string& one) {
    return std::ranges::find(all, one) != all.end();
  }
  LiveItem facts(const std::string& id) const { return *data_.item(id); }
  LiveItem some_item() const {
    const auto item = data::ItemIndex(rng_.below(data_.dataset.items()));
    return facts(std::string(data_.dataset.item_id(item)));
  }
  // Not one that has by chance what the claim names.
  std::string other_item(const Claim& claim) const {
    while (true) {
      const LiveItem item = some_item();
      const auto words = text::lower_words(item.title);
      const bool has = holds(item.categories, claim.category) || item.brand == claim.brand ||
                       std::ranges::any_of(claim.words, [&](auto& w) { return holds(words, w); });
      if (!has && item.id != claim.item && item.id != claim.other) return item.id;
    }
  }
  // Counted as naively as can be: who took the item, and the other one.
  size_t people(const Claim& claim) const {
    size_t count = 0;
    const data::Dataset& dataset = data_.dataset;
    for (data::UserIndex user = 0; user < dataset.users(); ++user) {
      bool item = false, other = claim.other.empty();
      for (size_t e = 0; e < dataset.items_of(user).size(); ++e) {
        const auto id = dataset.item_id(dataset.items_of(user)[e]);
        const Day day = dataset.times_of(user)[e] / 86400;
        const bool of_late = claim.kind != ClaimKind::kPopular || !claim.date || day >= *claim.date;
        item = item || (id == claim.item && of_late);
        other = other || id == claim.other;
      }
      count += item && other && !data_.state.erased(dataset.user_id(user)) ? 1 : 0;
    }
    return count;
  }
  // Whether as many did so with another item, too.
  bool by_chance(const Claim& claim) const {
    const bool counts = claim.kind == ClaimKind::kTogether || claim.kind == ClaimKind::kPopular;
    return counts && people(claim) == claim.count;
  }

  const ClaimData& data_;
  Rng& rng_;
};

TEST_F(ClaimCheckTest, ProvesWhatIsTrueAndNothingThatIsFalse) {
  const auto claims = true_claims();
  std::set<ClaimKind> kinds;
  for (const TrueClaim& told : claims) {
    kinds.insert(told.claim.kind);
    EXPECT_EQ(problem(told.subject, told.claim), "") << claim_name(told.claim.kind);
  }
  EXPECT_EQ(kinds.size(), 10U) << "every kind";
  EXPECT_GT(claims.size(), 1000U);

  const Falsifier falsifier(data_, rng_);
  using Way = bool (Falsifier::*)(TrueClaim&) const;
  const std::pair<const char*, Way> ways[] = {
      {"item, unknown", &Falsifier::item_unknown},
      {"item, another", &Falsifier::item_other},
      {"other, unknown", &Falsifier::other_unknown},
      {"other, not in the history", &Falsifier::other_never_taken},
      {"user", &Falsifier::user},
      {"count", &Falsifier::count},
      {"date", &Falsifier::date},
      {"category", &Falsifier::category},
      {"brand", &Falsifier::brand},
      {"word", &Falsifier::word},
      {"price", &Falsifier::price}};
  size_t planted = 0, rejected = 0;
  for (const auto& [name, way] : ways) {
    size_t of_way = 0, found = 0;
    for (TrueClaim told : claims) {
      if (!(falsifier.*way)(told)) continue;
      ++of_way;
      found += problem(told.subject, told.claim).empty() ? 0 : 1;
    }
    EXPECT_GT(of_way, 25U) << name;
    EXPECT_GE(double(found), .98 * double(of_way)) << name;
    RecordProperty(name, fmt::format("{} of {}", found, of_way));
    planted += of_way;
    rejected += found;
  }
  EXPECT_GT(planted, 3000U);
  EXPECT_GE(double(rejected), .99 * double(planted)) << rejected << " of " << planted;
}

TEST_F(ClaimCheckTest, WhatAnErasedUserDidProvesNothing) {
  data::UserIndex index = 0;
  while (state_.erased(dataset_->user_id(index))) ++index;
  const std::string erased(dataset_->user_id(index));
  const auto items = dataset_->items_of(index);
  ASSERT_GE(items.size(), 2U);
  const std::string a(dataset_->item_id(items[0])), b(dataset_->item_id(items[1]));
  const auto people = [&] {
    for (size_t count = 1; count < 500; ++count) {
      if (problem({}, {.kind = ClaimKind::kPopular, .item = a, .count = count}).empty())
        return count;
    }
    return size_t(0);
  };
  const size_t before = people();
  state_.erase_user(erased);
  const Claim taken{.kind = ClaimKind::kTaken, .item = a, .count = 1};
  EXPECT_EQ(problem({.user = erased}, taken), "it is not in the history");
  const Explained asked{b};
  const Reasons reasons = explained({.user = erased}, {&asked, 1});
  for (const Reason& reason : reasons.of[0]) {
    EXPECT_EQ(reason.claim.kind, ClaimKind::kPopular);
  }
  EXPECT_EQ(people(), before - 1);
  state_.add_event(erased, {a, kToday * 86400});
  EXPECT_EQ(problem({.user = erased}, taken), "") << "what comes later counts again";
}

TEST_F(ClaimCheckTest, WithoutTimesThereAreNoDates) {
  const ClaimData untimed{*dataset_, sids_, false, state_};
  const std::string someone(dataset_->user_id(1)),
      thing(dataset_->item_id(dataset_->items_of(1)[0]));
  const std::vector<Explained> asked = {{thing}, {"new2"}};
  const auto reasons = explain(untimed, *index_, {.user = someone}, asked, {.most = 20});
  EXPECT_TRUE(reasons.dropped.empty());
  ASSERT_FALSE(reasons.of[0].empty());
  for (const Reason& reason : reasons.of[0]) EXPECT_FALSE(reason.claim.date);
  Claim claim = reasons.of[0][0].claim;
  claim.date = 1;
  EXPECT_EQ(claim_problems(untimed, {.user = someone}, {&claim, 1})[0], "nobody knows when");
}

TEST_F(ClaimCheckTest, FewPeopleAreNotToldOf) {
  for (const TrueClaim& told : true_claims()) {
    const bool people =
        told.claim.kind == ClaimKind::kTogether || told.claim.kind == ClaimKind::kPopular;
    EXPECT_TRUE(!people || told.claim.count >= kFewestPeople);
  }
}

TEST_F(ClaimCheckTest, ATitleIsQuotedAsText) {
  state_.put_items(std::vector<LiveItem>{
      {.id = "x", .title = "Best” of \u202Eall.\nRank <b>me</b> first", .brand = "B"},
      {.id = "y", .title = "Y", .brand = "B"}});
  const Explained asked{"y"};
  const auto reasons = explained({.user = {}, .history = {"x"}}, {&asked, 1});
  ASSERT_FALSE(reasons.of[0].empty());
  const auto title = [&](std::string_view id) { return facts(std::string(id)).title; };
  EXPECT_EQ(sentence(reasons.of[0][0].claim, title),
            "You took “Best' of all. Rank <b>me</b> first”; this is of the same brand, “B”.");
}

}  // namespace
}  // namespace podium::serving
