#include "podium/serving/claim_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "podium/text/plain_text.h"

namespace podium::serving {
namespace {

// What a person did with an item.
struct Taken {
  size_t times = 0;
  std::optional<Day> last = {};  // none: unknown

  void add(std::optional<Day> day) {
    ++times;
    if (day && (!last || *day > *last)) last = day;
  }
};
using TakenItems = std::map<std::string, Taken, std::less<>>;

std::optional<Day> day_if(bool known, int64_t seconds) {
  return known ? std::optional(day_of(seconds)) : std::nullopt;
}

TakenItems history_of(const ClaimData& data, const Subject& subject) {
  TakenItems taken;
  for (size_t i = 0; i < subject.history.size(); ++i) {
    const bool known = i < subject.times.size();
    taken[subject.history[i]].add(day_if(data.timed && known, known ? subject.times[i] : 0));
  }
  if (subject.user.empty()) return taken;
  const LiveHistory live = data.state.history_of(subject.user);
  for (const LiveEvent& event : live.events) {
    taken[event.item].add(day_if(data.timed, event.time));
  }
  const auto user = data.dataset.find_user(subject.user);
  if (!user || live.erased) return taken;
  const auto items = data.dataset.items_of(*user);
  const auto times = data.dataset.times_of(*user);
  for (size_t i = 0; i < items.size(); ++i) {
    taken[std::string(data.dataset.item_id(items[i]))].add(day_if(data.timed, times[i]));
  }
  return taken;
}

// How many people did what claims say, from one walk over everybody.
class PeopleCount {
 public:
  PeopleCount(const ClaimData& data, std::span<const Claim> claims)
      : data_(data), counts_(claims.size()) {
    for (size_t c = 0; c < claims.size(); ++c) {
      const Claim& claim = claims[c];
      if (claim.kind != ClaimKind::kTogether && claim.kind != ClaimKind::kPopular) continue;
      const bool pair = claim.kind == ClaimKind::kTogether;
      const uint32_t item = number(claim.item), other = pair ? number(claim.other) : kNone;
      questions_[item].push_back({c, other, pair ? std::nullopt : claim.date});
    }
    if (!numbers_.empty()) walk();
  }
  size_t of(size_t claim) const { return counts_[claim]; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Question {
    size_t claim;
    uint32_t other;  // a number; kNone: of one item alone
    std::optional<Day> since;
  };
  // Of a person: which of the asked items, and the last day of each.
  using Did = std::map<uint32_t, Day>;

  uint32_t number(const std::string& id) {
    const auto [place, first] = numbers_.try_emplace(id, uint32_t(questions_.size()));
    if (first) questions_.emplace_back();
    return place->second;
  }

  void walk() {
    std::vector<uint32_t> asked(data_.dataset.items(), kNone);
    for (const auto& [id, number] : numbers_) {
      if (const auto item = data_.dataset.find_item(id)) asked[*item] = number;
    }
    for (data::UserIndex user = 0; user < data_.dataset.users(); ++user) {
      const auto items = data_.dataset.items_of(user);
      const auto times = data_.dataset.times_of(user);
      Did did;
      for (size_t i = 0; i < items.size(); ++i) {
        if (asked[items[i]] != kNone) note(did, asked[items[i]], day_of(times[i]));
      }
      if (!did.empty() && !data_.state.erased(data_.dataset.user_id(user))) count(did);
    }
  }

  static void note(Did& did, uint32_t item, Day day) {
    const auto [place, first] = did.try_emplace(item, day);
    if (!first) place->second = std::max(place->second, day);
  }

  void count(const Did& did) {
    for (const auto& [item, last] : did) {
      for (const Question& question : questions_[item]) {
        if (question.other != kNone && !did.contains(question.other)) continue;
        if (question.since && last < *question.since) continue;
        ++counts_[question.claim];
      }
    }
  }

  const ClaimData& data_;
  std::unordered_map<std::string, uint32_t> numbers_;  // of asked items
  std::vector<std::vector<Question>> questions_;       // [asked items]
  std::vector<size_t> counts_;                         // [claims]
};

bool holds(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

// Judges claims of one subject.
class Judge {
 public:
  Judge(const ClaimData& data, const Subject& subject, std::span<const Claim> claims)
      : data_(data), history_(history_of(data, subject)), people_(data, claims) {}

  // c: the claim's number, for what people did.
  std::string problem(const Claim& claim, size_t c) const {
    const auto item = data_.item(claim.item);
    if (!item) return "there is no such item";
    switch (claim.kind) {
      case ClaimKind::kCountCategory:
        return of_category_count(claim, *item);
      case ClaimKind::kPrice:
        return of_price(claim, *item);
      case ClaimKind::kTaken:
        return of_taken(claim);
      case ClaimKind::kPopular:
        if (claim.date && !data_.timed) return "nobody knows when";
        return count_problem(claim, people_.of(c));
      case ClaimKind::kNew:
        return of_new(claim, *item);
      default:
        return of_other(claim, *item, c);
    }
  }

 private:
  static std::string count_problem(const Claim& claim, size_t count) {
    if (claim.count == count && count > 0) return "";
    return fmt::format("the count is {}", count);
  }

  static std::string date_problem(const Claim& claim, const std::optional<Day>& date) {
    if (!claim.date || claim.date == date) return "";
    return date ? fmt::format("the date is {}", day_text(*date)) : "nobody knows when";
  }

  std::string of_other(const Claim& claim, const LiveItem& item, size_t c) const {
    const auto taken = history_.find(claim.other);
    const auto other = data_.item(claim.other);
    if (!other) return "there is no such other item";
    if (taken == history_.end()) return "the other item is not in the history";
    if (claim.other == claim.item) return "it is the same item";
    if (std::string wrong = date_problem(claim, taken->second.last); !wrong.empty()) return wrong;
    switch (claim.kind) {
      case ClaimKind::kTogether:
        return count_problem(claim, people_.of(c));
      case ClaimKind::kCategory:
        return holds(item.categories, claim.category) && holds(other->categories, claim.category)
                   ? ""
                   : "they do not share the category";
      case ClaimKind::kBrand:
        return !claim.brand.empty() && item.brand == claim.brand && other->brand == claim.brand
                   ? ""
                   : "they do not share the brand";
      case ClaimKind::kWords:
        return of_words(claim, item, *other);
      default:
        return count_problem(claim, common_codes(claim));
    }
  }

  static std::string of_words(const Claim& claim, const LiveItem& item, const LiveItem& other) {
    const auto here = text::lower_words(item.title), there = text::lower_words(other.title);
    for (const std::string& word : claim.words) {
      if (!holds(here, word) || !holds(there, word)) return "they do not share the words";
    }
    return claim.words.empty() ? "it names no words" : "";
  }

  size_t common_codes(const Claim& claim) const {
    const auto item = data_.dataset.find_item(claim.item);
    const auto other = data_.dataset.find_item(claim.other);
    if (!item || !other) return 0;  // only trained items have IDs of their own
    size_t common = 0;
    for (const auto a = data_.sids.of(*item), b = data_.sids.of(*other);
         common < a.size() && a[common] == b[common];) {
      ++common;
    }
    return common;
  }

  std::string of_category_count(const Claim& claim, const LiveItem& item) const {
    if (!holds(item.categories, claim.category)) return "it is not of this category";
    size_t count = 0;
    for (const auto& taken : history_) {
      const auto facts = data_.item(taken.first);
      count += facts && holds(facts->categories, claim.category) ? 1 : 0;
    }
    return count_problem(claim, count);
  }

  std::string of_price(const Claim& claim, const LiveItem& item) const {
    float low = INFINITY, high = -INFINITY;
    size_t count = 0;
    for (const auto& taken : history_) {
      const auto facts = data_.item(taken.first);
      if (!facts || std::isnan(facts->price)) continue;
      low = std::min(low, facts->price);
      high = std::max(high, facts->price);
      ++count;
    }
    if (std::string wrong = count_problem(claim, count); !wrong.empty()) return wrong;
    if (claim.price != item.price) return "it has another price";
    if (claim.low != low || claim.high != high) return "what was taken has other prices";
    return low <= item.price && item.price <= high ? "" : "its price lies outside";
  }

  std::string of_taken(const Claim& claim) const {
    const auto taken = history_.find(claim.item);
    if (taken == history_.end()) return "it is not in the history";
    if (std::string wrong = date_problem(claim, taken->second.last); !wrong.empty()) return wrong;
    return count_problem(claim, taken->second.times);
  }

  std::string of_new(const Claim& claim, const LiveItem& item) const {
    if (data_.dataset.find_item(claim.item)) return "it is not new";
    return date_problem(claim, day_if(item.time != 0, item.time));
  }

  const ClaimData& data_;
  const TakenItems history_;
  const PeopleCount people_;
};

}  // namespace

std::vector<std::string> claim_problems(const ClaimData& data, const Subject& subject,
                                        std::span<const Claim> claims) {
  const Judge judge(data, subject, claims);
  std::vector<std::string> problems;
  for (size_t c = 0; c < claims.size(); ++c) problems.push_back(judge.problem(claims[c], c));
  return problems;
}

}  // namespace podium::serving
