#include "podium/serving/explain.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "podium/rerank/trace_text.h"
#include "podium/serving/claim_check.h"
#include "podium/serving/claim_people.h"
#include "podium/text/plain_text.h"

namespace podium::serving {
namespace {

using rerank::EvidenceKind;

constexpr size_t kAnchors = rerank::kMaxHistory;  // newest items of the history that speak
constexpr size_t kMostWords = 3;                  // of a claim
constexpr size_t kFewestPrices = 3;               // of a history that say what somebody pays

// An item of the history.
struct Had {
  LiveItem facts;
  size_t times = 0;
  std::optional<Day> last = {};
  std::vector<std::string> words = {};  // of its title, telling ones
};

// Makes claims for one subject.
class Maker {
 public:
  Maker(const ClaimData& data, const ClaimIndex& index, const Subject& subject, Day today)
      : data_(data),
        index_(index),
        today_(today),
        history_(history_of(subject)),
        people_(data, index) {}

  // Every claim that can be made, the best first; what a trace said before the others, and `silent`
  // gets what of it is no claim.
  std::vector<Reason> reasons(const Explained& explained, std::vector<Dropped>& silent) const {
    const auto facts = data_.item(explained.id);
    if (!facts) return {};
    std::vector<Reason> all;
    const auto add = [&](std::optional<Claim> claim, bool of_trace) {
      const bool there = claim && std::ranges::any_of(all, [&](const Reason& reason) {
                           return reason.claim.kind == claim->kind;
                         });
      if (claim && !there) all.push_back({std::move(*claim), of_trace});
      return claim.has_value();
    };
    for (const EvidenceKind kind : explained.cited) {
      if (add(of_evidence(kind, *facts), true)) continue;
      silent.push_back({{.item = explained.id},
                        std::string(rerank::evidence_phrase(kind)),
                        "no claim of the data says it"});
    }
    add(taken(*facts), false);
    add(together(*facts), false);
    const bool counted = add(count_category(*facts), false);
    if (!counted) add(category(*facts), false);
    add(brand(*facts), false);
    add(words(*facts), false);
    add(prefix(*facts), false);
    add(newness(*facts), false);
    add(popular(*facts), false);
    return all;
  }

 private:
  // Each item once, the newest first; where times are not known, as they were told.
  std::vector<Had> history_of(const Subject& subject) const {
    struct Event {
      std::string id;
      std::optional<int64_t> time;
    };
    std::vector<Event> events;
    for (size_t i = 0; i < subject.history.size(); ++i) {
      const bool known = data_.timed && !subject.times.empty();
      events.push_back(
          {subject.history[i], known ? std::optional(subject.times[i]) : std::nullopt});
    }
    if (!subject.user.empty()) {
      const LiveHistory live = data_.state.history_of(subject.user);
      const auto user = data_.dataset.find_user(subject.user);
      const auto told = [&](int64_t time) {
        return data_.timed ? std::optional(time) : std::nullopt;
      };
      for (size_t i = 0; user && !live.erased && i < data_.dataset.items_of(*user).size(); ++i) {
        events.push_back({std::string(data_.dataset.item_id(data_.dataset.items_of(*user)[i])),
                          told(data_.dataset.times_of(*user)[i])});
      }
      for (const LiveEvent& event : live.events) events.push_back({event.item, told(event.time)});
      std::ranges::stable_sort(events, {}, &Event::time);
    }
    std::vector<Had> history;
    std::unordered_map<std::string, size_t> places;
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      const auto [place, first] = places.try_emplace(event->id, history.size());
      if (first) {
        auto facts = data_.item(event->id);
        if (!facts) {  // no claim can be proved of it
          places.erase(place);
          continue;
        }
        history.push_back({.facts = std::move(*facts)});
        history.back().words = telling_words(history.back().facts.title);
      }
      Had& had = history[place->second];
      ++had.times;
      if (event->time) had.last = std::max(had.last, std::optional(day_of(*event->time)));
    }
    return history;
  }

  std::vector<std::string> telling_words(std::string_view title) const {
    std::vector<std::string> words;
    for (std::string& word : text::lower_words(title)) {
      const bool there = std::ranges::find(words, word) != words.end();
      if (!there && index_.telling_word(word)) words.push_back(std::move(word));
    }
    return words;
  }

  // The newest of the history, newest first.
  std::vector<const Had*> anchors(const std::string& but) const {
    std::vector<const Had*> newest;
    for (const Had& had : history_) {
      if (newest.size() == kAnchors) break;
      if (had.facts.id != but) newest.push_back(&had);
    }
    return newest;
  }

  std::optional<Claim> of_evidence(EvidenceKind kind, const LiveItem& item) const {
    switch (kind) {
      case rerank::kTogether:
        return together(item, 1);
      case rerank::kHistory:
        return together(item);
      case rerank::kSimilar:
        return words(item);
      case rerank::kPopular:
        return popular(item);
      case rerank::kCategory: {
        auto claim = count_category(item);
        return claim ? claim : category(item);
      }
      case rerank::kBrand:
        return brand(item);
      case rerank::kPrice:
        return price(item);
      default:
        return std::nullopt;  // what a sequence model holds likely is no fact
    }
  }

  static Claim beside(ClaimKind kind, const LiveItem& item, const Had& had) {
    return {.kind = kind, .item = item.id, .other = had.facts.id, .date = had.last};
  }

  // With the one of the newest `of` items that goes with it best: by people who took both, of
  // those who took the other.
  std::optional<Claim> together(const LiveItem& item, size_t of = kAnchors) const {
    std::optional<Claim> best;
    double best_score = 0;
    auto newest = anchors(item.id);
    newest.resize(std::min(of, newest.size()));
    const auto index = data_.dataset.find_item(item.id);
    for (const Had* had : newest) {
      const auto other = data_.dataset.find_item(had->facts.id);
      if (!index || !other) continue;
      const size_t count = people_.both(*index, *other);
      if (count < kFewestPeople) continue;
      const double score = double(count) / std::sqrt(double(people_.takers(*other)));
      if (score <= best_score) continue;
      best_score = score;
      best = beside(ClaimKind::kTogether, item, *had);
      best->count = count;
    }
    return best;
  }

  // The most special category that tells something and that two or more items of the history have.
  std::optional<Claim> count_category(const LiveItem& item) const {
    for (auto it = item.categories.rbegin(); it != item.categories.rend(); ++it) {
      if (!index_.telling_category(*it)) continue;
      const auto count = size_t(std::ranges::count_if(history_, [&](const Had& had) {
        return std::ranges::find(had.facts.categories, *it) != had.facts.categories.end();
      }));
      if (count < 2) continue;
      return Claim{
          .kind = ClaimKind::kCountCategory, .item = item.id, .count = count, .category = *it};
    }
    return std::nullopt;
  }

  std::optional<Claim> category(const LiveItem& item) const {
    for (auto it = item.categories.rbegin(); it != item.categories.rend(); ++it) {
      if (!index_.telling_category(*it)) continue;
      for (const Had* had : anchors(item.id)) {
        const auto& theirs = had->facts.categories;
        if (std::ranges::find(theirs, *it) == theirs.end()) continue;
        Claim claim = beside(ClaimKind::kCategory, item, *had);
        claim.category = *it;
        return claim;
      }
    }
    return std::nullopt;
  }

  std::optional<Claim> brand(const LiveItem& item) const {
    if (item.brand.empty()) return std::nullopt;
    for (const Had* had : anchors(item.id)) {
      if (had->facts.brand != item.brand) continue;
      Claim claim = beside(ClaimKind::kBrand, item, *had);
      claim.brand = item.brand;
      return claim;
    }
    return std::nullopt;
  }

  // With the item whose title has most of its telling words.
  std::optional<Claim> words(const LiveItem& item) const {
    const auto own = telling_words(item.title);
    std::optional<Claim> best;
    for (const Had* had : anchors(item.id)) {
      std::vector<std::string> shared;
      for (const std::string& word : own) {
        const bool there = std::ranges::find(had->words, word) != had->words.end();
        if (there && shared.size() < kMostWords) shared.push_back(word);
      }
      if (shared.size() <= (best ? best->words.size() : 0)) continue;
      best = beside(ClaimKind::kWords, item, *had);
      best->words = std::move(shared);
    }
    return best;
  }

  // With the item whose semantic ID is the same the longest, of more than its first code.
  std::optional<Claim> prefix(const LiveItem& item) const {
    std::optional<Claim> best;
    const auto index = data_.dataset.find_item(item.id);
    for (const Had* had : anchors(item.id)) {
      const auto other = data_.dataset.find_item(had->facts.id);
      if (!index || !other) continue;
      const auto mine = data_.sids.of(*index), theirs = data_.sids.of(*other);
      const auto common = size_t(std::ranges::mismatch(mine, theirs).in1 - mine.begin());
      if (common < 2 || common <= (best ? best->count : 0)) continue;
      best = beside(ClaimKind::kPrefix, item, *had);
      best->count = common;
    }
    return best;
  }

  std::optional<Claim> price(const LiveItem& item) const {
    Claim claim{.kind = ClaimKind::kPrice, .item = item.id, .price = item.price};
    for (const Had& had : history_) {
      const float paid = had.facts.price;
      if (std::isnan(paid)) continue;
      claim.low = claim.count == 0 ? paid : std::min(claim.low, paid);
      claim.high = claim.count == 0 ? paid : std::max(claim.high, paid);
      ++claim.count;
    }
    const bool between = claim.low <= claim.price && claim.price <= claim.high;
    if (claim.count < kFewestPrices || !between) return std::nullopt;
    return claim;
  }

  std::optional<Claim> taken(const LiveItem& item) const {
    const auto had = std::ranges::find(history_, item.id, [](const Had& h) { return h.facts.id; });
    if (had == history_.end()) return std::nullopt;
    return Claim{
        .kind = ClaimKind::kTaken, .item = item.id, .count = had->times, .date = had->last};
  }

  std::optional<Claim> newness(const LiveItem& item) const {
    if (data_.dataset.find_item(item.id)) return std::nullopt;
    Claim claim{.kind = ClaimKind::kNew, .item = item.id};
    if (item.time != 0) claim.date = day_of(item.time);
    return claim;
  }

  // Of late, or else ever.
  std::optional<Claim> popular(const LiveItem& item) const {
    const auto index = data_.dataset.find_item(item.id);
    if (!index) return std::nullopt;
    Claim claim{.kind = ClaimKind::kPopular, .item = item.id};
    if (data_.timed) {
      claim.date = today_ - kPopularDays;
      claim.count = people_.takers(*index, claim.date);
    }
    if (claim.count < kFewestPeople) {
      claim.date.reset();
      claim.count = people_.takers(*index);
    }
    if (claim.count < kFewestPeople) return std::nullopt;
    return claim;
  }

  const ClaimData& data_;
  const ClaimIndex& index_;
  const Day today_;
  const std::vector<Had> history_;
  const ClaimPeople people_;
};

}  // namespace

Reasons explain(const ClaimData& data, const ClaimIndex& index, const Subject& subject,
                std::span<const Explained> items, const ExplainOptions& options) {
  const Maker maker(data, index, subject, options.today);
  Reasons reasons;
  std::vector<Claim> claims;
  std::vector<std::vector<Reason>> made;
  for (const Explained& item : items) {
    made.push_back(maker.reasons(item, reasons.dropped));
    for (const Reason& reason : made.back()) claims.push_back(reason.claim);
  }
  const auto problems = claim_problems(data, subject, claims);
  size_t c = 0;
  for (std::vector<Reason>& all : made) {
    auto& told = reasons.of.emplace_back();
    for (Reason& reason : all) {
      if (const std::string& why = problems[c++]; !why.empty()) {
        reasons.dropped.push_back({std::move(reason.claim), "", why});
      } else if (told.size() < options.most) {
        told.push_back(std::move(reason));
      }
    }
  }
  return reasons;
}

}  // namespace podium::serving
