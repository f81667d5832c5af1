#include "podium/pipeline/run_dir.h"

#include <fmt/format.h>

#include "podium/artifact/manifest.h"
#include "podium/artifact/output.h"
#include "podium/base/error.h"

namespace podium::pipeline {
namespace {

constexpr const char* kRunCure = "name another --out, or move it away; nothing was changed";
constexpr const char* kRunNames[] = {"stages",       "work",         "bundle",       "teacher",
                                     "report.json",  "report.html",  "results.json", "timings.json",
                                     "options.toml", "manifest.json"};

bool is_run(const fs::path& out) {
  return artifact::kind_of(out) == "run" || artifact::kind_of(out / "stages/sid") == "stage";
}

}  // namespace

void claim_run(const fs::path& out, const fs::path& data) {
  if (out.empty()) throw Error("the run directory has no name", "give it one: --out DIR");
  artifact::check_inputs_outside(out, {data});
  if (fs::exists(out) && !fs::is_directory(out)) {
    throw Error(fmt::format("{} exists and is no directory", out.string()), kRunCure, out.string());
  }
  if (!is_run(out)) {
    for (const char* name : kRunNames) {
      if (!fs::exists(fs::symlink_status(out / name))) continue;
      throw Error(
          fmt::format("{} exists and was not written by a run of podium", (out / name).string()),
          kRunCure, out.string());
    }
  }
  for (const char* name : {"stages", "work", "bundle", "teacher"}) {
    if (!fs::exists(out / name) || fs::is_directory(out / name)) continue;
    throw Error(fmt::format("{} exists and is no directory", (out / name).string()), kRunCure,
                out.string());
  }
  if (artifact::kind_of(out) == "run") return;
  make_directories(out);
  artifact::write_marker(out, "run", 1);
}

}  // namespace podium::pipeline
