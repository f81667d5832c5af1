#include "podium/base/options.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "podium/base/error.h"
#include "podium/base/nearest.h"

namespace podium {
namespace {

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }

// Among the keys of the same name in other sections, where there are such: keys move.
std::string_view nearest_key(const std::vector<OptionEntry>& entries, std::string_view key) {
  std::vector<std::string_view> keys, moved;
  for (const OptionEntry& entry : entries) {
    keys.push_back(entry.key);
    if (last_part(entry.key) == last_part(key)) moved.push_back(entry.key);
  }
  return nearest(key, moved.empty() ? keys : moved);
}

Json value_of(const OptionRef& ref) {
  return std::visit([](auto* value) { return Json(*value); }, ref);
}

// As TOML writes it: JSON has no word for what is not a number.
std::string toml_value(const OptionRef& ref) {
  if (const auto* number = std::get_if<double*>(&ref); number && !std::isfinite(**number)) {
    return fmt::format("{}", **number);  // nan, inf, -inf
  }
  return value_of(ref).dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool in_range(const OptionEntry& entry) {
  return std::visit(
      [&](auto* value) {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          return true;
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return std::all_of(value->begin(), value->end(),
                             [&](const std::string& text) { return entry.range.holds(text); });
        } else if constexpr (std::is_same_v<T, std::string>) {
          return entry.range.holds(*value);
        } else {
          return entry.range.holds(double(*value));
        }
      },
      entry.value);
}

void check_range(const OptionEntry& entry, const std::string& where) {
  if (in_range(entry)) return;
  const std::string range = entry.range.text();
  throw Error(fmt::format("{} must be {} (it is {})", entry.key,
                          range.empty() ? "a finite number" : range, toml_value(entry.value)),
              "its meaning: " + entry.help, where);
}

// CLI11 reads what an int64_t cannot hold as its largest value.
std::string too_large(const std::string& text) {
  int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc::result_out_of_range ? text + " is too large a number" : "";
}

std::string place(const fs::path& path, const toml::source_region& source) {
  return fmt::format("{}:{}", path.string(), source.begin.line);
}

// Copies a TOML value into the option; false when the type does not fit.
bool assign(const OptionRef& ref, const toml::node& node) {
  return std::visit(
      [&](auto* target) {
        using T = std::remove_pointer_t<decltype(target)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          const toml::array* array = node.as_array();
          if (array == nullptr) return false;
          T values;
          for (const toml::node& element : *array) {
            const auto text = element.value<std::string>();
            if (!text || !element.is_string()) return false;
            values.push_back(*text);
          }
          *target = std::move(values);
          return true;
        } else {
          if constexpr (std::is_same_v<T, bool>) {
            if (!node.is_boolean()) return false;
          } else if constexpr (std::is_same_v<T, std::string>) {
            if (!node.is_string()) return false;
          } else if constexpr (std::is_same_v<T, double>) {
            if (!node.is_number()) return false;
          } else {
            if (!node.is_integer()) return false;
          }
          const auto value = node.value<T>();
          if (value) *target = *value;
          return value.has_value();
        }
      },
      ref);
}

void load_table(const std::vector<OptionEntry>& entries, const toml::table& table,
                const std::string& prefix, const fs::path& path) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const OptionEntry& entry) { return entry.key == key; });
    if (found == entries.end()) {
      const bool section = std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
        return entry.key.starts_with(key + ".");
      });
      // A key of an unknown section is told by its whole name, which is nearer to the right one.
      if (node.is_table() && (section || !node.as_table()->empty())) {
        load_table(entries, *node.as_table(), key + ".", path);
        continue;
      }
      throw Error(
          fmt::format("unknown option '{}'", key),
          fmt::format("did you mean '{}'? `podium config` lists all", nearest_key(entries, key)),
          place(path, node.source()));
    }
    if (!assign(found->value, node)) {
      throw Error(fmt::format("option '{}' has the wrong type", key),
                  fmt::format("write it like its default: {} = {}", key, toml_value(found->value)),
                  place(path, node.source()));
    }
    check_range(*found, place(path, node.source()));
  }
}

}  // namespace

std::string OptionEntry::help_text() const {
  const std::string values = range.text();
  return values.empty() ? help : help + "; " + values;
}

void OptionList::add_flags(CLI::App& app) const {
  for (const OptionEntry& entry : entries_) {
    std::string flag = "--" + entry.key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    std::visit(
        [&](auto* value) {
          using T = std::remove_pointer_t<decltype(value)>;
          if constexpr (std::is_same_v<T, bool>) {
            app.add_flag(flag + ",!--no-" + flag.substr(2), *value, entry.help_text());
          } else {
            CLI::Option* option =
                app.add_option(flag, *value, entry.help_text())->capture_default_str();
            if constexpr (std::is_same_v<T, int64_t>) option->check(too_large);
          }
        },
        entry.value);
  }
}

void OptionList::load_toml(const fs::path& path) const {
  toml::table table;
  try {
    table = toml::parse(read_file(path), path.string());
  } catch (const toml::parse_error& e) {
    throw Error(std::string("malformed TOML: ") + std::string(e.description()),
                "mend that line; `podium config` prints a valid file", place(path, e.source()));
  }
  load_table(entries_, table, "", path);
}

void OptionList::check() const {
  for (const OptionEntry& entry : entries_) check_range(entry, "");
  for (const OptionRule& rule : rules_) {
    if (rule.holds()) continue;
    const std::string section = rule.section.empty() ? "" : " in [" + rule.section + "]";
    throw Error(rule.text + section, "`podium config` lists the options with their meaning");
  }
}

std::string OptionList::to_toml() const {
  std::string text, section;
  for (const OptionEntry& entry : entries_) {
    const size_t dot = entry.key.rfind('.');
    const std::string own = dot == std::string::npos ? "" : entry.key.substr(0, dot);
    if (own != section) text += fmt::format("\n[{}]\n", own), section = own;
    const std::string name = dot == std::string::npos ? entry.key : entry.key.substr(dot + 1);
    text += fmt::format("# {}\n{} = {}\n", entry.help_text(), name, toml_value(entry.value));
  }
  return text;
}

Json OptionList::to_json() const {
  Json all = Json::object();
  for (const OptionEntry& entry : entries_) {
    all[entry.key] = {
        {"value", value_of(entry.value)}, {"help", entry.help}, {"range", entry.range.text()}};
  }
  return all;
}

Json OptionList::values() const {
  Json all = Json::object();
  for (const OptionEntry& entry : entries_) all[entry.key] = value_of(entry.value);
  return all;
}

}  // namespace podium
