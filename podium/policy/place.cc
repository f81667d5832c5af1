#include "podium/policy/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "podium/policy/cap_counts.h"
#include "podium/policy/condition.h"
#include "podium/policy/explore.h"

namespace podium::policy {
namespace {

class Placer {
 public:
  Placer(const PlaceRequest& request, Outcome& outcome)
      : request_(request),
        outcome_(outcome),
        caps_(request.rules.caps, request.columns),
        explorer_(explore(), request.items, request.context),
        left_(request.order.begin(), request.order.end()),
        places_(int(std::min<size_t>(request.context.k, request.items.size()))) {}

  void run() {
    if (!explorer_.missing().empty()) unmet(*explore(), explorer_.missing());
    for (const auto& [pin, item] : request_.pins) reserve_pin(*pin, item);
    for (const Sponsored& rule : request_.rules.sponsored) reserve_sponsored(rule);
    int place = 1;
    while (place <= places_ && (put_reserved(place) || fill(place) || move_up(place))) ++place;
    end_short();
  }

 private:
  struct Reserved {
    int item = 0;
    const Named* rule = nullptr;
    std::string label = {};
  };

  const Explore* explore() const {
    return request_.rules.explore ? &*request_.rules.explore : nullptr;
  }
  std::string_view id(int item) const { return request_.items[size_t(item)].id; }
  void unmet(const Named& rule, std::string why) {
    outcome_.unmet.push_back({rule.name, std::move(why)});
  }

  // Why nothing can be reserved for this place, whoever comes; empty: it can.
  std::string taken(int place) const {
    if (size_t(place) > request_.context.k) {
      return fmt::format("there is no place {}: {} were asked for", place, request_.context.k);
    }
    const auto other = reserved_.find(place);
    if (other == reserved_.end()) return "";
    return fmt::format("place {} is taken by '{}'", place, other->second.rule->name);
  }

  void reserve(int place, Reserved reserved) {
    caps_.add(reserved.item, place);
    left_.erase(std::find(left_.begin(), left_.end(), reserved.item));
    reserved_[place] = std::move(reserved);
  }

  void reserve_pin(const Pin& pin, int item) {
    if (const std::string why = taken(pin.place); !why.empty()) return unmet(pin, why);
    if (std::find(left_.begin(), left_.end(), item) == left_.end()) {
      return unmet(pin, why_not_left(item));
    }
    if (const Cap* cap = caps_.broken(item, pin.place)) {
      return unmet(pin, fmt::format("'{}' would break the cap '{}'", id(item), cap->name));
    }
    reserve(pin.place, {item, &pin});
  }

  std::string why_not_left(int item) const {
    for (const RemovedItem& removed : outcome_.removed) {
      if (removed.index != size_t(item)) continue;
      return fmt::format("'{}' was removed by '{}'", id(item), removed.rule);
    }
    return fmt::format("'{}' is pinned to another place", id(item));
  }

  void reserve_sponsored(const Sponsored& rule) {
    const ConditionOn condition(rule.when, request_.columns, request_.context);
    for (const int place : rule.places) {
      if (const std::string why = taken(place); !why.empty()) {
        unmet(rule, why);
        continue;
      }
      const auto item = std::find_if(left_.begin(), left_.end(), [&](int one) {
        return condition.holds(size_t(one)) && caps_.broken(one, place) == nullptr;
      });
      if (item == left_.end()) {
        unmet(rule, fmt::format("place {}: nobody left matches and keeps the caps", place));
      } else {
        reserve(place, {*item, &rule, rule.label});
      }
    }
  }

  void put(int item, PlacedItem placed) {
    placed.index = size_t(item);
    outcome_.placed.push_back(std::move(placed));
  }

  bool put_reserved(int place) {
    const auto found = reserved_.find(place);
    if (found == reserved_.end()) return false;
    const auto& [item, rule, label] = found->second;
    const std::string what = label.empty() ? "pinned at {}" : "sponsored at {}";
    put(item, {0, {reason_of(*rule, fmt::format(fmt::runtime(what), place))}, label});
    reserved_.erase(found);
    return true;
  }

  bool fill(int place) {
    const size_t window = explorer_.window(place);
    offered_.clear();
    for (size_t i = 0; i < left_.size() && offered_.size() < window; ++i) {
      const Cap* cap = caps_.broken(left_[i], place);
      if (cap == nullptr) {
        offered_.push_back(left_[i]);
      } else if (offered_.empty()) {
        passed_.try_emplace(left_[i], cap);
      }
    }
    if (offered_.empty()) return false;
    const Explorer::Choice choice = explorer_.choose(offered_);
    const int item = offered_[choice.at];
    PlacedItem placed;
    placed.propensity = choice.propensity;
    if (const auto passed = passed_.find(item); passed != passed_.end()) {
      placed.reasons.push_back(reason_of(*passed->second, "moved down by the cap"));
    }
    if (choice.at > 0) {
      const std::string what = fmt::format("drawn, {} of {}", choice.at + 1, offered_.size());
      placed.reasons.push_back(reason_of(*explore(), what));
    }
    caps_.add(item, place);
    left_.erase(std::find(left_.begin(), left_.end(), item));
    put(item, std::move(placed));
    return true;
  }

  // Of those further down, the first that may stand here.
  bool move_up(int place) {
    for (auto entry = reserved_.begin(); entry != reserved_.end(); ++entry) {
      const auto [wanted, reserved] = *entry;
      caps_.remove(reserved.item, wanted);
      if (caps_.broken(reserved.item, place) == nullptr) {
        unmet(*reserved.rule, fmt::format("'{}' stands at {} instead of {}: the list is too short",
                                          id(reserved.item), place, wanted));
        caps_.add(reserved.item, place);
        reserved_.erase(entry);
        reserved_[place] = reserved;
        return put_reserved(place);
      }
      caps_.add(reserved.item, wanted);
    }
    return false;
  }

  // Who has no place though places are left, and why: at the next one caps forbid all of them.
  void end_short() {
    const size_t stand = outcome_.placed.size();
    const int next = int(stand) + 1;
    for (const auto& [place, reserved] : reserved_) {
      unmet(*reserved.rule, fmt::format("the list ends before place {}", place));
      caps_.remove(reserved.item, place);
      remove(reserved.item, *caps_.broken(reserved.item, next));
      caps_.add(reserved.item, place);
    }
    if (next > places_) return;
    std::set<const Cap*> told;
    for (const int item : left_) {
      const Cap* cap = caps_.broken(item, next);
      remove(item, *cap);
      if (!told.insert(cap).second) continue;
      unmet(*cap, fmt::format("it leaves {} items for {} places", stand, places_));
    }
  }

  void remove(int item, const Cap& cap) {
    outcome_.removed.push_back({size_t(item), cap.name, cap.reason});
  }

  const PlaceRequest& request_;
  Outcome& outcome_;
  CapCounts caps_;
  Explorer explorer_;
  std::vector<int> left_;             // best first
  std::map<int, Reserved> reserved_;  // by place, not yet put
  std::map<int, const Cap*> passed_;  // who was passed over, and by which cap
  std::vector<int> offered_;
  int places_;
};

}  // namespace

void place(const PlaceRequest& request, Outcome& outcome) { Placer(request, outcome).run(); }

Reason reason_of(const Named& rule, const std::string& text) {
  return {rule.name, rule.reason == rule.name ? text : rule.reason + ": " + text};
}

}  // namespace podium::policy
