// Options: one typed struct each, one declaration per option. From it come the default, the
// command-line flag, the TOML key, `--help` and the page printed by `podium config`.
//
//   struct SidOptions {
//     int levels = 4;
//     template <class V> void visit(V& v) { v("levels", levels, "residual levels L"); }
//   };
//
// Field types: bool, int, int64_t, double, std::string, std::vector<std::string>.
// A nested struct is visited by v.section("sid", sid).
#pragma once

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"

namespace podium {

using OptionRef =
    std::variant<bool*, int*, int64_t*, double*, std::string*, std::vector<std::string>*>;

struct OptionEntry {
  std::string key;  // dotted, e.g. "sid.levels"; the flag is --sid.levels (underscores as dashes)
  OptionRef value;  // points into the visited struct
  std::string help;
};

// Collects the entries of an options struct (the struct must outlive the list).
class OptionList {
 public:
  template <class Options>
  explicit OptionList(Options& options) {
    options.visit(*this);
  }

  template <class T>
  void operator()(std::string_view name, T& value, std::string_view help) {
    entries_.push_back({prefix_ + std::string(name), &value, std::string(help)});
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
  // Sets values from a TOML file. Unknown keys and wrong types throw Error with file and line,
  // and suggest the nearest key.
  void load_toml(const fs::path& path) const;
  // Every option with its current value and meaning, as commented TOML / as JSON.
  std::string to_toml() const;
  Json to_json() const;

 private:
  std::string prefix_;
  std::vector<OptionEntry> entries_;
};

}  // namespace podium
