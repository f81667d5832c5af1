// One rule of each kind from its table.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "podium/policy/toml_table.h"

namespace podium::policy {

// In the order in which they are applied.
std::vector<std::string_view> rule_kinds();

// Written [kind]; the others are [[kind]], as often as wanted.
bool stands_once(std::string_view kind);

// The keys that a rule of this kind knows; empty for a kind that there is not.
std::span<const std::string_view> keys_of_rule(std::string_view kind);

// What a rule is called: a kind that stands once has its kind for a name where it is given none.
Named read_name(std::string_view kind, const TomlTable& table);

// Adds the rule to `set`; kind is one of rule_kinds(). Throws Error as TomlTable does, and where
// keys of one rule contradict one another.
void read_rule(std::string_view kind, const TomlTable& table, RuleSet& set);

}  // namespace podium::policy
