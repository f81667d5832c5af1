// Options: one typed struct each, one declaration per option. From it come the default, the
// command-line flag, the TOML key, `--help` and the page printed by `podium config`.
//
//   struct SidOptions {
//     int levels = 4, used = 2;
//     template <class V> void visit(V& v) {
//       v("levels", levels, "residual levels L", between(1, 8));
//       v("used", used, "levels read", at_least(1));
//       v.rule([this] { return used <= levels; }, "used must not exceed levels");
//     }
//   };
//
// Field types: bool, int, int64_t, double, std::string, std::vector<std::string>.
// A nested struct is visited by v.section("sid", sid). What values an option takes: option_range.h;
// what several must obey together: rule(), which may point into the visited struct.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/base/option_range.h"

namespace CLI {
class App;
}

namespace podium {

using OptionRef =
    std::variant<bool*, int*, int64_t*, double*, std::string*, std::vector<std::string>*>;

struct OptionEntry {
  std::string key;  // dotted, e.g. "sid.levels"; the flag is --sid.levels (underscores as dashes)
  OptionRef value;  // points into the visited struct
  std::string help;
  OptionRange range;

  std::string help_text() const;  // with the range: "residual levels L; 1 to 8"
};

// What several options must obey together.
struct OptionRule {
  std::string section;  // "sid", or empty
  std::function<bool()> holds;
  std::string text;
};

// Collects the entries of an options struct (the struct must outlive the list).
class OptionList {
 public:
  OptionList() = default;  // to be filled by operator() and section()
  template <class Options>
  explicit OptionList(Options& options) {
    options.visit(*this);
  }

  template <class T>
  void operator()(std::string_view name, T& value, std::string_view help, OptionRange range = {}) {
    entries_.push_back({prefix_ + std::string(name), &value, std::string(help), std::move(range)});
  }
  void rule(std::function<bool()> holds, std::string_view text) {
    const std::string section = prefix_.substr(0, prefix_.empty() ? 0 : prefix_.size() - 1);
    rules_.push_back({section, std::move(holds), std::string(text)});
  }
  template <class Options>
  void section(std::string_view name, Options& nested) {
    const std::string outer = prefix_;
    prefix_ += std::string(name) + ".";
    nested.visit(*this);
    prefix_ = outer;
  }

  const std::vector<OptionEntry>& entries() const { return entries_; }

  // Adds one flag an option to `app`; flags win over the file when load_toml runs first.
  void add_flags(CLI::App& app) const;
  // Sets values from a TOML file. Unknown keys (the nearest is suggested), wrong types and values
  // out of range throw Error with file and line.
  void load_toml(const fs::path& path) const;
  // Throws Error on the first value out of range, then on the first rule that does not hold.
  // To be called when file and flags are read, before any work.
  void check() const;
  // Every option with its current value and meaning, as commented TOML / as JSON.
  std::string to_toml() const;
  Json to_json() const;
  Json values() const;  // {"sid.levels": 4, ...}

 private:
  std::string prefix_;
  std::vector<OptionEntry> entries_;
  std::vector<OptionRule> rules_;
};

}  // namespace podium
