#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/options.h"
#include "podium/cli/commands.h"
#include "podium/cli/doctor_checks.h"

namespace podium::cli {
namespace {

struct DoctorArguments {
  std::string bundle, state = "podium-state", rules, keys;
  std::string address = "127.0.0.1";
  int port = 8080;
  bool json = false;

  template <class V>
  void visit(V& v) {
    v("bundle", bundle, "bundle directory");
    v("state", state, "directory of live events and items");
    v("rules", rules, "file of rules; STATE/rules.toml unless told");
    v("keys", keys, "file of keys");
    v("address", address, "address to listen on");
    v("port", port, "port to listen on", between(0, 65535));
  }
};

const char* word(Health health) {
  return health == Health::kFit ? "fit" : health == Health::kWorth ? "look" : "unfit";
}

void print(const std::vector<Finding>& found) {
  for (const Finding& finding : found) {
    fmt::print("{:5}  {:11}  {}\n", word(finding.health), finding.what, finding.told);
    if (!finding.cure.empty()) fmt::print("{:20}try: {}\n", "", finding.cure);
  }
}

Json to_json(const std::vector<Finding>& found) {
  Json json = Json::array();
  for (const Finding& finding : found) {
    json.push_back(
        {{"what", finding.what}, {"health", word(finding.health)}, {"told", finding.told}});
    if (!finding.cure.empty()) json.back()["cure"] = finding.cure;
  }
  return json;
}

void doctor(DoctorArguments& a) {
  OptionList(a).check();
  const auto found = examine({.bundle = a.bundle,
                              .state = a.state,
                              .rules = a.rules,
                              .keys = a.keys,
                              .address = a.address,
                              .port = a.port});
  a.json ? fmt::print("{}\n", to_json(found).dump(2)) : print(found);
  const auto unfit = std::ranges::count(found, Health::kUnfit, &Finding::health);
  if (unfit > 0) {
    throw Error(fmt::format("{} of {} are unfit", unfit, found.size()), "mend them first");
  }
}

}  // namespace

void add_doctor_command(CLI::App& app) {
  auto a = std::make_shared<DoctorArguments>();
  CLI::App* command =
      app.add_subcommand("doctor", "are machine and set-up fit for `podium serve`, and what to do");
  OptionList(*a).add_flags(*command);
  command->add_flag("--json", a->json, "print JSON");
  command->footer(
      "Takes the flags that `podium serve` takes. Exit code 1 when something is unfit; what is\n"
      "worth a look is told and no more.\n"
      "  podium doctor --bundle out/run/bundle --state podium-state --keys podium-keys.json");
  command->callback([a] { doctor(*a); });
}

}  // namespace podium::cli
