#include "podium/policy/rule_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "podium/policy/condition_reader.h"

namespace podium::policy {
namespace {

constexpr double kMostWeight = 1000;

struct Kind {
  std::string_view name;
  std::vector<std::string_view> keys;
  void (*read)(const TomlTable& table, const Named& named, RuleSet& set);
};

void read_filter(const TomlTable& table, const Named& named, RuleSet& set) {
  Filter rule{named};
  const int kinds =
      table.has("keep") + table.has("drop") + table.has("seen") + table.has("blocked");
  if (kinds != 1) table.fail("", table.what() + " needs one of keep, drop, seen and blocked");
  if (table.has("seen")) {
    rule.kind = Filter::Kind::kSeen;
    if (!table.boolean("seen")) table.fail("seen", "'seen' can only be true", "drop the rule");
  } else if (table.has("blocked")) {
    rule.kind = Filter::Kind::kBlocked;
    const auto ids = table.texts("blocked");
    rule.blocked = {ids.begin(), ids.end()};
  } else {
    const std::string key = table.has("keep") ? "keep" : "drop";
    rule.kind = key == "keep" ? Filter::Kind::kKeep : Filter::Kind::kDrop;
    rule.condition = read_condition(table, key);
    const std::string usual = key == "keep" ? "drop" : "keep";
    rule.unknown_leaves = table.choice("unknown", {"keep", "drop"}, usual) == "drop";
  }
  if (table.has("unknown") && rule.condition.empty()) {
    table.fail("unknown", "'unknown' goes with keep or drop");
  }
  set.filters.push_back(std::move(rule));
}

void read_boost(const TomlTable& table, const Named& named, RuleSet& set) {
  Boost rule{named};
  rule.weight = table.number("weight", between(-kMostWeight, kMostWeight));
  rule.field = table.text("field", "");
  if (table.has("half_life")) rule.half_life = table.duration("half_life");
  if (table.has("when")) rule.when = read_condition(table, "when");
  if (rule.field.empty() && (rule.when.empty() || rule.half_life > 0)) {
    table.fail("", table.what() + " needs a field, or a condition `when` without a half_life");
  }
  set.boosts.push_back(std::move(rule));
}

void read_cap(const TomlTable& table, const Named& named, RuleSet& set) {
  Cap rule{named};
  rule.field = table.text("field");
  rule.at_most = table.integer("at_most", 1, kMostPlaces);
  rule.first = table.integer("first", 1, kMostPlaces, kMostPlaces);
  set.caps.push_back(std::move(rule));
}

void read_pin(const TomlTable& table, const Named& named, RuleSet& set) {
  Pin rule{named};
  rule.item = table.text("item");
  rule.place = table.integer("place", 1, kMostPlaces);
  if (table.has("when")) rule.when = read_condition(table, "when");
  set.pins.push_back(std::move(rule));
}

void read_sponsored(const TomlTable& table, const Named& named, RuleSet& set) {
  Sponsored rule{named};
  rule.places = table.integers("places", 1, kMostPlaces);
  rule.when = read_condition(table, "when");
  rule.label = table.text("label");
  set.sponsored.push_back(std::move(rule));
}

void read_duplicates(const TomlTable& table, const Named& named, RuleSet& set) {
  Duplicates rule{named};
  rule.field = table.text("field");
  rule.words = table.integer("words", 1, 5, rule.words);
  rule.threshold = table.number("threshold", between(0.1, 1), rule.threshold);
  set.duplicates = std::move(rule);
}

void read_diversity(const TomlTable& table, const Named& named, RuleSet& set) {
  Diversity rule{named};
  const bool dpp = table.choice("method", {"mmr", "dpp"}, "mmr") == "dpp";
  rule.method = dpp ? Diversity::Method::kDpp : Diversity::Method::kMmr;
  rule.trade = table.number("trade", between(0, 1), rule.trade);
  if (table.has("fields")) rule.fields = table.texts("fields");
  rule.first = table.integer("first", 2, kMostPlaces, rule.first);
  set.diversity = std::move(rule);
}

void read_objective(const TomlTable& table, const Named& named, RuleSet& set) {
  Objective rule{named};
  rule.field = table.text("field");
  rule.at_least = table.number("at_least", {});
  rule.first = table.integer("first", 1, kMostWatched, rule.first);
  set.objectives.push_back(std::move(rule));
}

void read_exposure(const TomlTable& table, const Named& named, RuleSet& set) {
  static constexpr double kSlack = 1e-9;  // of sums of decimal fractions
  Exposure rule{named};
  rule.field = table.text("field");
  rule.tolerance = table.number("tolerance", between(0, 1), rule.tolerance);
  rule.first = table.integer("first", 1, kMostWatched, rule.first);
  const toml::table& targets = table.table("targets");
  std::vector<std::string_view> names;
  for (const auto& [name, share] : targets) names.push_back(name.str());
  const TomlTable shares(targets, "'targets' of " + table.what(), table.file(), names);
  double sum = 0;
  for (const std::string_view name : names) {
    rule.targets.emplace_back(name, shares.number(name, between(0, 1)));
    sum += rule.targets.back().second;
  }
  if (names.empty()) table.fail("targets", "'targets' of " + table.what() + " must name a value");
  if (sum > 1 + kSlack) {
    table.fail("targets", fmt::format("the targets' sum must be at most 1 (it is {:.4g})", sum));
  }
  set.exposures.push_back(std::move(rule));
}

void read_explore(const TomlTable& table, const Named& named, RuleSet& set) {
  using Method = Explore::Method;
  Explore rule{named};
  const std::string method = table.choice("method", {"epsilon-greedy", "thompson", "linucb"});
  rule.method = method == "thompson" ? Method::kThompson
                : method == "linucb" ? Method::kLinUcb
                                     : Method::kEpsilonGreedy;
  const auto only = [&](std::string_view key, bool fits) {
    if (table.has(key) && !fits) {
      table.fail(key, fmt::format("'{}' is nothing to method '{}'", key, method), "drop the key");
    }
  };
  only("epsilon", rule.method != Method::kThompson);
  only("draws", rule.method == Method::kThompson);
  only("alpha", rule.method == Method::kLinUcb);
  if (rule.method == Method::kEpsilonGreedy) {
    rule.epsilon = table.number("epsilon", between(0, 1));
  } else {
    rule.epsilon = table.number("epsilon", between(0, 1), 0);
  }
  rule.draws = table.integer("draws", 1, kMostDraws, rule.draws);
  rule.alpha = table.number("alpha", between(0, kMostWeight), rule.alpha);
  rule.window = table.integer("window", 1, kMostPlaces, rule.window);
  rule.from = table.integer("from", 1, kMostPlaces, rule.from);
  set.explore = std::move(rule);
}

const std::array<Kind, 10>& kinds() {
  static const std::array<Kind, 10> kKinds = {{
      {"filter", {"name", "reason", "keep", "drop", "seen", "blocked", "unknown"}, read_filter},
      {"boost", {"name", "reason", "weight", "field", "half_life", "when"}, read_boost},
      {"duplicates", {"name", "reason", "field", "words", "threshold"}, read_duplicates},
      {"diversity", {"name", "reason", "method", "trade", "fields", "first"}, read_diversity},
      {"objective", {"name", "reason", "field", "at_least", "first"}, read_objective},
      {"exposure", {"name", "reason", "field", "targets", "tolerance", "first"}, read_exposure},
      {"cap", {"name", "reason", "field", "at_most", "first"}, read_cap},
      {"pin", {"name", "reason", "item", "place", "when"}, read_pin},
      {"sponsored", {"name", "reason", "places", "when", "label"}, read_sponsored},
      {"explore",
       {"name", "reason", "method", "epsilon", "draws", "alpha", "window", "from"},
       read_explore},
  }};
  return kKinds;
}

const Kind* find_kind(std::string_view name) {
  const auto found = std::find_if(kinds().begin(), kinds().end(),
                                  [&](const Kind& kind) { return kind.name == name; });
  return found == kinds().end() ? nullptr : &*found;
}

}  // namespace

std::span<const std::string_view> keys_of_rule(std::string_view kind) {
  const Kind* found = find_kind(kind);
  return found == nullptr ? std::span<const std::string_view>() : found->keys;
}

std::vector<std::string_view> rule_kinds() {
  std::vector<std::string_view> names;
  for (const Kind& kind : kinds()) names.push_back(kind.name);
  return names;
}

bool stands_once(std::string_view kind) {
  return kind == "duplicates" || kind == "diversity" || kind == "explore";
}

Named read_name(std::string_view kind, const TomlTable& table) {
  Named named;
  named.name = stands_once(kind) ? table.text("name", std::string(kind)) : table.text("name");
  named.reason = table.text("reason", named.name);
  return named;
}

void read_rule(std::string_view kind, const TomlTable& table, RuleSet& set) {
  find_kind(kind)->read(table, read_name(kind, table), set);
}

}  // namespace podium::policy
