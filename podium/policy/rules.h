// The rules of slates as a TOML file tells them: docs/rules.md is their reference.
#pragma once

#include <string>
#include <string_view>

#include "podium/base/json.h"
#include "podium/policy/rule_set.h"

namespace podium::policy {

// Immutable, and so thread-safe.
class Rules {
 public:
  Rules() : told_(Json::array()) {}  // no rules: lists stay as they come

  // file: as errors name it. Throws Error with file:line on malformed TOML, on a key or a kind of
  // rule that there is not (the nearest is named), on a value of another type or out of range, and
  // on rules that contradict one another: two of one name, a place or an item taken twice.
  static Rules parse(std::string_view toml, const std::string& file);

  bool empty() const { return told_.empty(); }
  const RuleSet& set() const { return set_; }

  // For a console: [{"kind": "filter", "name", "reason", "line", "rule": {its keys}}, ...] in the
  // order in which they are applied (apply.h); of one kind in that of the file.
  Json describe() const { return told_; }

 private:
  RuleSet set_;
  Json told_;
};

}  // namespace podium::policy
