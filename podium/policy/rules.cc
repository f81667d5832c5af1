#include "podium/policy/rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "podium/base/error.h"
#include "podium/base/nearest.h"
#include "podium/policy/rule_reader.h"

namespace podium::policy {
namespace {

std::string at_line(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, std::max(node.source().begin.line, 1U));
}

toml::table read_toml(std::string_view text, const std::string& file) {
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& e) {
    throw Error("malformed TOML: " + std::string(e.description()), "mend that line",
                fmt::format("{}:{}", file, std::max(e.source().begin.line, 1U)));
  }
}

// The tables of one kind, in the file's order.
std::vector<const toml::table*> tables_of(const toml::node& node, std::string_view kind,
                                          const std::string& file) {
  const bool once = stands_once(kind);
  if (once && node.is_table()) return {node.as_table()};
  std::vector<const toml::table*> tables;
  if (const toml::array* array = node.as_array(); array != nullptr && !once) {
    for (const toml::node& element : *array) tables.push_back(element.as_table());
  }
  if (!tables.empty() && std::find(tables.begin(), tables.end(), nullptr) == tables.end()) {
    return tables;
  }
  throw Error(fmt::format("'{}' must be written {}", kind,
                          once ? fmt::format("[{}], once", kind) : fmt::format("[[{}]]", kind)),
              "docs/rules.md has an example of each rule", at_line(file, node));
}

void check_kinds(const toml::table& file_table, const std::string& file) {
  const auto kinds = rule_kinds();
  for (const auto& [key, node] : file_table) {
    const std::string_view kind = key.str();
    if (!keys_of_rule(kind).empty()) continue;
    throw Error(fmt::format("there is no kind of rule '{}'", kind),
                fmt::format("did you mean '{}'? There are: {}", nearest(kind, kinds),
                            fmt::join(kinds, ", ")),
                at_line(file, node));
  }
}

// What two rules may not both have: a name, a place, a pinned item; and where it was taken.
class Taken {
 public:
  void take(const std::string& what, const TomlTable& table, std::string_view key, size_t line) {
    const auto [first, fresh] = lines_.try_emplace(what, line);
    if (fresh) return;
    table.fail(key, fmt::format("{} is taken by the rule at line {}", what, first->second),
               "change one of the two");
  }

 private:
  std::map<std::string, size_t> lines_;
};

// A pin under a condition may share its place and item: at most one of them may apply at a time.
void take_places(std::string_view kind, const TomlTable& table, const RuleSet& set, size_t line,
                 Taken& taken) {
  if (kind == "pin" && set.pins.back().when.empty()) {
    taken.take(fmt::format("place {}", set.pins.back().place), table, "place", line);
    taken.take(fmt::format("item '{}'", set.pins.back().item), table, "item", line);
  } else if (kind == "sponsored") {
    for (const int place : set.sponsored.back().places) {
      taken.take(fmt::format("place {}", place), table, "places", line);
    }
  }
}

}  // namespace

Rules Rules::parse(std::string_view toml, const std::string& file) {
  const toml::table all = read_toml(toml, file);
  check_kinds(all, file);
  Rules rules;
  Taken taken;
  for (const std::string_view kind : rule_kinds()) {
    const toml::node* node = all.get(kind);
    if (node == nullptr) continue;
    for (const toml::table* entry : tables_of(*node, kind, file)) {
      const std::string what =
          stands_once(kind) ? fmt::format("[{}]", kind) : fmt::format("[[{}]]", kind);
      const TomlTable table(*entry, what, file, keys_of_rule(kind));
      const Named named = read_name(kind, table);
      const size_t line = entry->source().begin.line;
      taken.take(fmt::format("name '{}'", named.name), table, "name", line);
      read_rule(kind, table, rules.set_);
      take_places(kind, table, rules.set_, line, taken);
      rules.told_.push_back({{"kind", kind},
                             {"name", named.name},
                             {"reason", named.reason},
                             {"line", line},
                             {"rule", table.json()}});
    }
  }
  return rules;
}

}  // namespace podium::policy
