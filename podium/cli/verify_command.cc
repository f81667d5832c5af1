#include <fmt/format.h>

#include <memory>

#include "podium/artifact/verify.h"
#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/cli/commands.h"

namespace podium::cli {
namespace {

using artifact::VerifiedDir;

Json to_json(const std::vector<VerifiedDir>& dirs) {
  Json json = Json::array();
  for (const VerifiedDir& dir : dirs) {
    json.push_back({{"directory", dir.dir.string()},
                    {"kind", dir.kind},
                    {"version", dir.version},
                    {"files", dir.files},
                    {"bytes", dir.bytes},
                    {"sound", dir.damage.empty()}});
    if (!dir.damage.empty()) json.back()["damage"] = dir.damage;
  }
  return json;
}

void print(const std::vector<VerifiedDir>& dirs) {
  for (const VerifiedDir& dir : dirs) {
    fmt::print("{}: {}, version {}, {} files, {:.1f} MB: {}\n", dir.dir.string(), dir.kind,
               dir.version, dir.files, double(dir.bytes) / 1e6,
               dir.damage.empty() ? "as written" : "DAMAGED, " + dir.damage);
  }
}

void verify(const fs::path& path, bool json) {
  const std::vector<VerifiedDir> dirs = artifact::verify(path);
  json ? fmt::print("{}\n", to_json(dirs).dump(2)) : print(dirs);
  for (const VerifiedDir& dir : dirs) {
    if (dir.damage.empty()) continue;
    throw Error(ErrorKind::kCorrupt, dir.damage,
                "remove the directory and run the command that wrote it again", dir.dir.string());
  }
}

}  // namespace

void add_verify_command(CLI::App& app) {
  struct Arguments {
    std::string dir;
    bool json = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "verify",
      "is every file of a dataset, run, bundle or other directory still what was written");
  command->add_option("directory", a->dir, "any directory that podium wrote")->required();
  command->add_flag("--json", a->json, "print JSON");
  command->footer(
      "Compares sha256 of every file with the manifests. Exit code 3 when one differs.\n"
      "Example:\n  podium verify out/run/bundle");
  command->callback([a] { verify(a->dir, a->json); });
}

}  // namespace podium::cli
