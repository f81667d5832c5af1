// Reads the tables of a TOML file that people wrote: every error names the key, what it must be,
// the cure and file:line. What a table does not know is refused with the nearest that it does.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/json.h"
#include "podium/base/option_range.h"
#include "podium/policy/rule_set.h"

namespace podium::policy {

class TomlTable {
 public:
  // what: as errors call it ("[[filter]]"). Throws Error when a key is none of `known`. The table
  // must outlive the reader.
  TomlTable(const toml::table& table, std::string what, std::string file,
            std::span<const std::string_view> known);

  // key: at whose line; "" for the table's own.
  [[noreturn]] void fail(std::string_view key, const std::string& message,
                         const std::string& cure = "") const;

  bool has(std::string_view key) const { return table_.contains(key); }
  const std::string& what() const { return what_; }
  const std::string& file() const { return file_; }

  // Each: the value or, where the key is absent, the fallback; without one the key must be there.
  // Throws Error when the value is of another type or out of range.
  std::string text(std::string_view key, std::optional<std::string> fallback = {}) const;
  double number(std::string_view key, const OptionRange& range,
                std::optional<double> fallback = {}) const;
  int integer(std::string_view key, int low, int high, std::optional<int> fallback = {}) const;
  // Whole seconds, minutes, hours, days or weeks as "90s", "30d"; in seconds, above 0.
  double duration(std::string_view key) const;
  std::string choice(std::string_view key, const std::vector<std::string>& choices,
                     std::optional<std::string> fallback = {}) const;
  std::vector<std::string> texts(std::string_view key) const;  // one at least, none empty
  std::vector<int> integers(std::string_view key, int low, int high) const;  // ascending, distinct
  bool boolean(std::string_view key) const;

  std::vector<Scalar> scalars(std::string_view key) const;  // a list of one at least
  Scalar scalar(std::string_view key) const;
  // A table, or a list of tables of one at least.
  std::vector<const toml::table*> tables(std::string_view key) const;
  // The table at key, which must be one.
  const toml::table& table(std::string_view key) const;

  Json json() const;  // the whole table

 private:
  const toml::node& node(std::string_view key) const;  // throws Error when it is absent
  const toml::array& list(std::string_view key, const std::string& of) const;  // not empty
  [[noreturn]] void wrong_type(std::string_view key, const std::string& wanted) const;

  const toml::table& table_;
  std::string what_, file_;
};

}  // namespace podium::policy
