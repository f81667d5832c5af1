// Random rules on random slates: what must hold in every outcome, checked by other code than the
// one that sees to it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "podium/base/mutate.h"
#include "podium/policy/apply.h"
#include "podium/policy/condition.h"
#include "podium/policy/min_hash.h"
#include "podium/policy/test_slate.h"

namespace podium::policy {
namespace {

std::string pick(Rng& rng, const std::vector<std::string>& of) { return of[rng.below(of.size())]; }
bool one_in(Rng& rng, uint64_t n) { return rng.below(n) == 0; }

TestSlate random_slate(Rng& rng) {
  TestSlate slate;
  const size_t n = rng.below(30);
  for (size_t i = 0; i < n; ++i) {
    TestSlate::Fields fields;
    if (!one_in(rng, 5)) fields["brand"] = pick(rng, {"x", "y", "z"});
    if (!one_in(rng, 5)) fields["stock"] = double(rng.below(3));
    if (!one_in(rng, 5)) fields["margin"] = rng.normal();
    if (!one_in(rng, 5)) fields["added"] = double(kNow) - double(rng.below(100)) * kDay;
    if (one_in(rng, 3)) fields["ad"] = true;
    if (!one_in(rng, 5))
      fields["tags"] = texts({pick(rng, {"p", "q"}), pick(rng, {"r", "s", "t"})});
    fields["title"] = pick(rng, {"red", "blue", "green"}) + " " + std::to_string(rng.below(4)) +
                      " " + pick(rng, {"shoe", "boot", "hat"});
    slate.add("i" + std::to_string(i), one_in(rng, 8) ? rng.normal() : -double(i), fields);
  }
  return slate;
}

std::string random_condition(Rng& rng) {
  return pick(rng, {"{field = 'stock', at_least = 1}", "{field = 'brand', in = ['x', 'y']}",
                    "{field = 'tags', not_in = ['p']}", "{field = 'margin', missing = true}",
                    "{field = 'added', newer_than = '40d'}", "{field = 'ad', equals = true}",
                    "{field = 'brand', matches_request = 'brand'}",
                    "[{request = 'brand', present = true}, {field = 'margin', at_most = 0.5}]"});
}

std::string hard_rules(Rng& rng) {
  std::string toml;
  for (uint64_t f = rng.below(3); f > 0; --f) {
    toml += "[[filter]]\nname = 'f" + std::to_string(f) + "'\n" + pick(rng, {"keep", "drop"}) +
            " = " + random_condition(rng) + "\nunknown = '" + pick(rng, {"keep", "drop"}) + "'\n";
  }
  if (one_in(rng, 3)) toml += "[[filter]]\nname = 'seen'\nseen = true\n";
  if (one_in(rng, 3)) toml += "[[filter]]\nname = 'blocked'\nblocked = ['i1', 'i4']\n";
  for (uint64_t c = rng.below(3); c > 0; --c) {
    toml += "[[cap]]\nname = 'c" + std::to_string(c) + "'\nfield = '" +
            pick(rng, {"brand", "tags", "stock"}) +
            "'\nat_most = " + std::to_string(1 + rng.below(3)) +
            "\nfirst = " + std::to_string(1 + rng.below(12)) + "\n";
  }
  std::set<uint64_t> places, items;
  for (uint64_t p = rng.below(4); p > 0; --p) {
    const uint64_t place = 1 + rng.below(12), item = rng.below(30);
    if (!places.insert(place).second || !items.insert(item).second) continue;
    toml += "[[pin]]\nname = 'p" + std::to_string(p) + "'\nitem = 'i" + std::to_string(item) +
            "'\nplace = " + std::to_string(place) + "\n";
    if (one_in(rng, 3)) toml += "when = " + random_condition(rng) + "\n";
  }
  for (uint64_t s = rng.below(3); s > 0; --s) {
    const uint64_t place = 1 + rng.below(12);
    if (!places.insert(place).second) continue;
    toml += "[[sponsored]]\nname = 's" + std::to_string(s) + "'\nlabel = 'Ad'\nplaces = [" +
            std::to_string(place) + "]\nwhen = " + random_condition(rng) + "\n";
  }
  if (one_in(rng, 3)) toml += "[duplicates]\nfield = 'title'\nthreshold = 0.9\n";
  return toml;
}

std::string soft_rules(Rng& rng) {
  std::string toml;
  if (one_in(rng, 3)) toml += "[[boost]]\nname = 'b1'\nfield = 'margin'\nweight = -0.3\n";
  if (one_in(rng, 3)) {
    toml += "[[boost]]\nname = 'b2'\nfield = 'added'\nhalf_life = '9d'\nweight = 0.5\nwhen = " +
            random_condition(rng) + "\n";
  }
  if (one_in(rng, 2)) {
    toml += "[diversity]\nmethod = '" + pick(rng, {"mmr", "dpp"}) +
            "'\ntrade = 0.4\nfields = ['tags', 'brand']\n";
  }
  if (one_in(rng, 3)) {
    toml += "[[objective]]\nname = 'o'\nfield = 'margin'\nfirst = 5\nat_least = 0.6\n";
  }
  if (one_in(rng, 3)) {
    toml +=
        "[[exposure]]\nname = 'e'\nfield = 'brand'\nfirst = 6\n"
        "targets = {x = 0.3, y = 0.3, z = 0.4}\n";
  }
  if (one_in(rng, 2)) {
    toml += "[explore]\nmethod = " +
            pick(rng, {"'epsilon-greedy'\nepsilon = 0.5\n", "'thompson'\ndraws = 20\n",
                       "'linucb'\nepsilon = 0.2\n"}) +
            "window = " + std::to_string(1 + rng.below(8)) + "\n";
  }
  return toml;
}

struct Case {
  const RuleSet& rules;
  const TestSlate& slate;
  const RulesContext& context;
  const Outcome& outcome;

  bool unmet(const std::string& rule) const {
    return std::any_of(outcome.unmet.begin(), outcome.unmet.end(),
                       [&](const Unmet& one) { return one.rule == rule; });
  }
  bool removed(size_t item) const {
    return std::any_of(outcome.removed.begin(), outcome.removed.end(),
                       [&](const RemovedItem& one) { return one.index == item; });
  }
};

void check_subset(const Case& c) {
  std::set<size_t> told;
  for (const PlacedItem& item : c.outcome.placed) {
    EXPECT_LT(item.index, c.slate.items().size());
    EXPECT_TRUE(told.insert(item.index).second);
    EXPECT_GT(item.propensity, 0);
    EXPECT_LE(item.propensity, 1 + 1e-12);
  }
  for (const RemovedItem& item : c.outcome.removed) EXPECT_TRUE(told.insert(item.index).second);
  EXPECT_LE(c.outcome.placed.size(), c.context.k);
  if (c.outcome.placed.size() < c.context.k) {
    EXPECT_EQ(told.size(), c.slate.items().size());
  }
}

void check_filters(const Case& c, Columns& columns) {
  for (const Filter& filter : c.rules.filters) {
    const ConditionOn condition(filter.condition, columns, c.context);
    for (const PlacedItem& placed : c.outcome.placed) {
      const std::string id(c.slate.items()[placed.index].id);
      EXPECT_FALSE(filter.kind == Filter::Kind::kSeen && c.context.seen.count(id) > 0);
      EXPECT_FALSE(filter.blocked.count(id) > 0);
      if (filter.condition.empty()) continue;
      const Truth truth = condition.of(placed.index);
      const Truth leaves = filter.kind == Filter::Kind::kKeep ? Truth::kNo : Truth::kYes;
      EXPECT_NE(truth, leaves);
      EXPECT_FALSE(truth == Truth::kUnknown && filter.unknown_leaves);
    }
  }
}

void check_caps(const Case& c, Columns& columns) {
  for (const Cap& cap : c.rules.caps) {
    std::map<uint32_t, int> counts;
    const NumberedColumn& column = columns.numbered(cap.field);
    for (size_t i = 0; i < std::min(c.outcome.placed.size(), size_t(cap.first)); ++i) {
      for (const uint32_t value : column.values[c.outcome.placed[i].index]) ++counts[value];
    }
    for (const auto& [value, count] : counts) EXPECT_LE(count, cap.at_most) << column.names[value];
  }
}

void check_places(const Case& c, Columns& columns) {
  const auto& placed = c.outcome.placed;
  for (const Pin& pin : c.rules.pins) {
    const auto at = size_t(pin.place) - 1;
    const bool stands = at < placed.size() && c.slate.items()[placed[at].index].id == pin.item;
    const auto& items = c.slate.items();
    const auto item = size_t(std::find_if(items.begin(), items.end(),
                                          [&](const auto& one) { return one.id == pin.item; }) -
                             items.begin());
    const Truth applies = ConditionOn(pin.when, columns, c.context).of(item);
    const bool asked = item < items.size() ? applies == Truth::kYes : applies != Truth::kNo;
    EXPECT_TRUE(!asked || stands || c.unmet(pin.name)) << pin.name;
  }
  size_t labels = 0;
  for (const PlacedItem& item : placed) labels += item.label.empty() ? 0 : 1;
  for (const Sponsored& rule : c.rules.sponsored) {
    const ConditionOn condition(rule.when, columns, c.context);
    const auto at = size_t(rule.places[0]) - 1;
    const bool stands =
        at < placed.size() && placed[at].label == rule.label && condition.holds(placed[at].index);
    EXPECT_TRUE(stands || c.unmet(rule.name)) << rule.name;
    labels -= stands ? 1 : 0;
  }
  if (c.outcome.unmet.empty()) {
    EXPECT_EQ(labels, 0U);
  }
}

void check_duplicates(const Case& c, Columns& columns) {
  if (!c.rules.duplicates) return;
  std::vector<MinHash> seen;
  for (const PlacedItem& item : c.outcome.placed) {
    const auto title = std::get<std::string>(*columns.of("title")[item.index]);
    const MinHash own = *min_hash(shingles(title, 1));
    for (const MinHash& other : seen) {
      EXPECT_LT(estimated_jaccard(own, other), c.rules.duplicates->threshold);
    }
    seen.push_back(own);
  }
}

// Everything that an outcome tells, as text.
std::string all_of(const Outcome& outcome) {
  std::string text;
  for (const PlacedItem& item : outcome.placed) {
    text += std::to_string(item.index) + item.label + std::to_string(item.propensity);
    for (const Reason& reason : item.reasons) text += reason.rule + reason.text;
  }
  for (const RemovedItem& item : outcome.removed) text += std::to_string(item.index) + item.rule;
  for (const Unmet& rule : outcome.unmet) text += rule.rule + rule.why;
  return text;
}

TEST(ApplyProperties, HardRulesHoldOrAreTold) {
  std::map<std::string, int> told;  // outcomes with something unmet, so that the test tests it
  const int rounds = mutations(4000);
  for (int round = 0; round < rounds; ++round) {
    Rng rng = Rng(77).fork(uint64_t(round));
    const TestSlate slate = random_slate(rng);
    const std::string toml = hard_rules(rng) + soft_rules(rng);
    SCOPED_TRACE("round " + std::to_string(round) + "\n" + toml);
    const Rules rules = Rules::parse(toml, "random.toml");
    RulesContext context;
    context.now = kNow;
    context.k = rng.below(13);
    context.seed = rng.next();
    if (!one_in(rng, 3)) context.request["brand"] = "x";
    context.seen = {"i2", "i3"};
    const std::vector<BetaCounts> counts(slate.items().size());
    const std::vector<double> features(slate.items().size(), 0.5);
    const std::vector<RidgeState> states = {{{1}, {1}}};
    if (!one_in(rng, 4)) context.counts = counts;
    if (!one_in(rng, 4)) context.linear = {1, features, states};

    const Outcome outcome = apply(rules, slate.items(), slate, context);
    const Case c{rules.set(), slate, context, outcome};
    Columns columns(slate, slate.items().size());
    check_subset(c);
    check_filters(c, columns);
    check_caps(c, columns);
    check_places(c, columns);
    check_duplicates(c, columns);
    EXPECT_EQ(all_of(outcome), all_of(apply(rules, slate.items(), slate, context)));
    for (const Unmet& rule : outcome.unmet) ++told[rule.rule.substr(0, 1)];
    if (HasFailure()) return;
  }
  for (const char* const kind : {"c", "p", "s", "o", "e"}) EXPECT_GT(told[kind], rounds / 100);
}

TEST(ApplyProperties, WithoutRulesTheListStaysAsItCame) {
  for (uint64_t round = 0; round < 200; ++round) {
    Rng rng = Rng(78).fork(round);
    const TestSlate slate = random_slate(rng);
    RulesContext context;
    context.k = rng.below(40);
    const Outcome outcome = apply(Rules(), slate.items(), slate, context);
    ASSERT_EQ(outcome.placed.size(), std::min(context.k, slate.items().size()));
    for (size_t i = 0; i < outcome.placed.size(); ++i) EXPECT_EQ(outcome.placed[i].index, i);
    EXPECT_TRUE(outcome.removed.empty() && outcome.unmet.empty());
  }
}

}  // namespace
}  // namespace podium::policy
