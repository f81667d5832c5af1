#include "podium/serve/ruled.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <ctime>
#include <unordered_set>

namespace podium::serve {
namespace {

constexpr size_t kSpare = 50;  // items that rules may take away

using policy::FieldValue;

// Fields as they are asked for; the live item's before the bundle's.
class AnswerFields : public policy::ItemFields {
 public:
  AnswerFields(const serving::Recommender& recommender,
               const std::vector<serving::AnswerItem>& items)
      : catalogue_(recommender.catalogue()), items_(items) {
    for (const serving::AnswerItem& item : items)
      live_.push_back(recommender.state().item(item.id));
  }

  std::optional<FieldValue> field(size_t index, std::string_view name) const override {
    const auto& live = live_[index];
    if (live) {
      const auto own = live->fields.find(name);
      if (own != live->fields.end()) return own->second;
      if (auto told = fact(*live, name)) return told;
    }
    const auto story = catalogue_.find(items_[index].id);
    if (!story) return std::nullopt;
    if (name == "events") return double(story->events);
    if (name == "origin") return std::string(story->live ? "live" : "trained");
    return fact(story->facts, name);
  }

  std::span<const float> vector(size_t index) const override {
    return catalogue_.vector(items_[index].id);
  }

 private:
  static std::optional<FieldValue> fact(const serving::LiveItem& item, std::string_view name) {
    const auto text = [](const std::string& value) -> std::optional<FieldValue> {
      if (value.empty()) return std::nullopt;
      return value;
    };
    if (name == "id") return text(item.id);
    if (name == "title") return text(item.title);
    if (name == "brand") return text(item.brand);
    if (name == "description") return text(item.description);
    if (name == "categories" && !item.categories.empty()) return item.categories;
    if (name == "price" && !std::isnan(item.price)) return double(item.price);
    return std::nullopt;
  }

  serving::Catalogue catalogue_;
  const std::vector<serving::AnswerItem>& items_;
  std::vector<std::optional<serving::LiveItem>> live_;  // [items]
};

Learnt learnt_of(const serving::Recommender& recommender, const policy::Rules& rules,
                 const std::vector<policy::RankedItem>& items) {
  const auto& explore = rules.set().explore;
  if (!explore || explore->method == policy::Explore::Method::kEpsilonGreedy) return {};
  std::vector<std::string_view> ids;
  for (const policy::RankedItem& item : items) ids.push_back(item.id);
  return learnt_from(rules, recommender.state().shown(ids));
}

}  // namespace

Learnt learnt_from(const policy::Rules& rules, std::span<const serving::ShownCounts> shown) {
  Learnt learnt;
  const auto& explore = rules.set().explore;
  if (!explore) return learnt;
  for (const serving::ShownCounts& item : shown) {
    const auto all = double(item.shown), taken = double(item.taken);
    if (explore->method == policy::Explore::Method::kThompson) {
      learnt.counts.push_back({1 + taken, 1 + all - taken});
    } else if (explore->method == policy::Explore::Method::kLinUcb) {
      learnt.features.push_back(1);
      learnt.states.push_back({{1 + all}, {taken}});
    }
  }
  return learnt;
}

uint64_t next_seed() {
  static std::atomic<uint64_t> count{uint64_t(std::time(nullptr)) << 20U};
  return ++count;
}

size_t asked_for(const policy::Rules& rules, size_t k) {
  return rules.empty() ? k : std::min(k + kSpare, serving::kMostItems);
}

policy::Outcome apply_rules(const policy::Rules& rules, const RulesRequest& request,
                            const serving::Recommender& recommender, const std::string& user,
                            const std::vector<std::string>& history,
                            const std::vector<serving::AnswerItem>& items) {
  std::vector<policy::RankedItem> ranked;
  for (size_t r = 0; r < items.size(); ++r) ranked.push_back({items[r].id, -double(r)});
  const AnswerFields fields(recommender, items);
  const Learnt learnt = learnt_of(recommender, rules, ranked);
  policy::RulesContext context{.now = std::time(nullptr),
                               .k = request.k,
                               .seed = request.seed,
                               .request = request.context,
                               .seen = {},
                               .counts = learnt.counts,
                               .linear = learnt.linear()};
  std::vector<serving::LiveEvent> trained, live;
  if (!user.empty()) {
    const auto since = recommender.state().history_of(user);
    if (!since.erased) trained = recommender.bundle().events_of(user);
    live = since.events;
  }
  for (const auto& event : trained) context.seen.insert(event.item);
  for (const auto& event : live) context.seen.insert(event.item);
  context.seen.insert(history.begin(), history.end());
  return policy::apply(rules, ranked, fields, context);
}

}  // namespace podium::serve
