#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "podium/base/options.h"
#include "podium/cli/commands.h"
#include "podium/pipeline/pipeline.h"

namespace podium::cli {
namespace {

struct ConfigArguments {
  std::string format = "toml", preset = "full";
  bool json = false;
};

std::string markdown(const OptionList& list) {
  std::string text = "| option | default | values | meaning |\n|---|---|---|---|\n";
  const Json options = list.to_json();
  for (const auto& [key, option] : options.items()) {
    std::string help;
    for (const char c : option.at("help").get<std::string>()) {
      if (c == '|') help += '\\';
      help += c;
    }
    text += fmt::format("| `{}` | `{}` | {} | {} |\n", key, option.at("value").dump(),
                        option.at("range").get<std::string>(), help);
  }
  return text;
}

void config(const ConfigArguments& a) {
  pipeline::PipelineOptions options;
  pipeline::apply_preset(a.preset, options);
  const OptionList list(options);
  std::string text = list.to_toml();
  if (a.json || a.format == "json") {
    text = list.to_json().dump(2) + "\n";
  } else if (a.format == "md") {
    text = markdown(list);
  }
  std::fputs(text.c_str(), stdout);
}

}  // namespace

void add_config_command(CLI::App& app) {
  auto a = std::make_shared<ConfigArguments>();
  CLI::App* command =
      app.add_subcommand("config", "every option of `podium train` with its default and meaning");
  command->add_option("--format", a->format, "toml (a file for --config), json, or md")
      ->check(CLI::IsMember({"toml", "json", "md"}))
      ->capture_default_str();
  command->add_option("--preset", a->preset, "values of a preset: full (the defaults) or demo")
      ->capture_default_str();
  command->add_flag("--json", a->json, "the same as --format json");
  command->footer(
      "Example:\n"
      "  podium config > podium.toml    then change what you like and\n"
      "  podium train --data out/ml --out out/run --config podium.toml");
  command->callback([a] { config(*a); });
}

}  // namespace podium::cli
