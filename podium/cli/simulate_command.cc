#include <fmt/format.h>

#include <memory>

#include "podium/artifact/output.h"
#include "podium/base/options.h"
#include "podium/cli/data_commands.h"
#include "podium/data/simulate.h"

namespace podium::cli {
namespace {

constexpr const char* kSimulateFooter =
    R"(Users come one at a time and their slates go straight to disk, so memory grows with what the
dataset keeps: up to about 72 bytes an event, 100 a user and 1 kB an item.
Examples:
  podium data simulate --out out/shop
  podium data simulate --out out/big --users 10000000 --items 1000000 \
    --sessions-per-month 0.3 --no-impressions         # 60 million events)";

struct SimulateArguments {
  data::SimulateOptions options;
  std::string out, name;
  bool json = false;
};

void simulate(SimulateArguments& a) {
  if (a.name.empty()) a.name = artifact::name_of_output(a.out);
  const Json content = data::simulate(a.options, a.out, a.name);
  if (a.json) {
    fmt::print("{}\n", content.dump(2));
    return;
  }
  fmt::print("{}: {} users, {} items, {} events\n", a.name, content.at("users").get<uint64_t>(),
             content.at("items").get<uint64_t>(), content.at("events").get<uint64_t>());
  if (content.contains("slates")) {
    fmt::print("  slates               {}\n  impressions          {}\n",
               content.at("slates").get<uint64_t>(), content.at("impressions").get<uint64_t>());
  }
}

}  // namespace

void add_simulate_command(CLI::App& data) {
  auto a = std::make_shared<SimulateArguments>();
  auto list = std::make_shared<OptionList>(a->options);
  CLI::App* command = data.add_subcommand(
      "simulate", "make a dataset: a shop with drifting tastes, seasons, new users and items");
  command->add_option("--out", a->out, "dataset directory to write")->required();
  command->add_option("--name", a->name, "name of the dataset (default: OUT's)");
  list->add_flags(*command);
  command->add_flag("--json", a->json, "print the summary as JSON");
  command->footer(kSimulateFooter);
  command->callback([a, list] { simulate(*a); });
}

}  // namespace podium::cli
