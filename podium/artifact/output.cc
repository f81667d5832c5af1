#include "podium/artifact/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "podium/artifact/manifest.h"
#include "podium/base/error.h"

namespace podium::artifact {
namespace {

constexpr const char* kRejected = "rejected.jsonl";  // older imports added it after the manifest
constexpr const char* kSlates = "impressions";  // directory and kind: a shop made up adds it so

bool there(const fs::path& path) { return fs::exists(fs::symlink_status(path)); }

// Without "/" and "/." at the end, which would make the system follow a symbolic link.
fs::path tidy(const fs::path& path) {
  std::string text = path.string();
  const auto ends = [&](std::string_view end) { return text.size() > 1 && text.ends_with(end); };
  while (ends("/") || ends("/.")) text.pop_back();
  return text;
}

fs::path resolved(const fs::path& path) { return fs::weakly_canonical(fs::absolute(tidy(path))); }

// Whether `path` is `dir` or lies below it; both resolved.
bool holds(const fs::path& dir, const fs::path& path) {
  return std::mismatch(dir.begin(), dir.end(), path.begin(), path.end()).first == dir.end();
}

[[noreturn]] void refuse(const std::string& message, const fs::path& out) {
  throw Error(message, "name another --out, or move this one away; nothing was changed",
              out.string());
}

// The first thing below `dir` that is no part of what podium wrote there: a file of the user's, or
// what another command wrote into it. Empty: there is none.
fs::path first_foreign(const fs::path& dir) {
  std::set<fs::path> listed = {kManifestName, kRejected};
  for (const ManifestFile& file : load_manifest(dir).files) listed.insert(file.name);
  for (auto at = fs::recursive_directory_iterator(dir); at != fs::recursive_directory_iterator();
       ++at) {
    const fs::path name = at->path().lexically_relative(dir);
    if (listed.contains(name)) continue;
    if (!fs::is_directory(at->symlink_status())) return at->path();
    if (kind_of(at->path()).empty() || listed.contains(name / kManifestName)) continue;
    if (name != kSlates || kind_of(at->path()) != kSlates) return at->path();
    if (const fs::path inner = first_foreign(at->path()); !inner.empty()) return inner;
    at.disable_recursion_pending();
  }
  return {};
}

void check_replaceable(const fs::path& out, std::string_view kind) {
  if (!there(out)) return;
  const std::string refusal =
      fmt::format("{} exists and is no {} written by podium", out.string(), kind);
  if (fs::is_symlink(out)) refuse(refusal + ": it is a symbolic link", out);
  if (!fs::is_directory(out)) refuse(refusal, out);
  if (fs::is_empty(out)) return;
  if (kind_of(out) != kind) refuse(refusal, out);
  if (const fs::path foreign = first_foreign(out); !foreign.empty()) {
    refuse(fmt::format("{} holds '{}', which is no part of it", out.string(),
                       foreign.lexically_relative(out).string()),
           out);
  }
}

}  // namespace

std::string kind_of(const fs::path& dir) {
  if (!fs::is_regular_file(dir / kManifestName)) return "";
  try {
    return load_manifest(dir).kind;
  } catch (const Error&) {
    return "";  // a manifest.json of somebody else's
  }
}

void check_inputs_outside(const fs::path& out, const std::vector<fs::path>& inputs) {
  constexpr const char* kCure = "write to another directory; nothing was changed";
  const fs::path output = resolved(out);
  for (const fs::path& input : inputs) {
    if (input.empty()) continue;  // an optional one
    const fs::path place = resolved(input);
    if (holds(output, place)) {
      throw Error(fmt::format("the input {} lies in the output {}", input.string(), out.string()),
                  kCure, out.string());
    }
    if (holds(place, output) && !kind_of(place).empty()) {
      throw Error(fmt::format("the output {} lies in the input {}", out.string(), input.string()),
                  kCure, out.string());
    }
  }
}

fs::path check_output(const fs::path& out, std::string_view kind,
                      const std::vector<fs::path>& inputs) {
  if (out.empty()) throw Error("the output directory has no name", "give it one: --out DIR");
  const fs::path given = tidy(out);
  if (fs::is_symlink(given)) check_replaceable(given, kind);
  const fs::path path = resolved(given);
  recover_dir(path);
  check_replaceable(path, kind);
  check_inputs_outside(path, inputs);
  return path;
}

void check_page(const fs::path& page, std::string_view mark) {
  if (!fs::is_regular_file(page) || read_file(page).find(mark) != std::string::npos) return;
  throw Error(fmt::format("{} exists and is no page of podium's", page.string()),
              "name another file, or move this one away; nothing was changed", page.string());
}

std::string name_of_output(const fs::path& out) { return resolved(out).filename().string(); }

AtomicDir::AtomicDir(const fs::path& out, std::string_view kind,
                     const std::vector<fs::path>& inputs)
    : final_(check_output(out, kind, inputs)), kind_(kind), temporary_(final_) {}

void AtomicDir::commit() {
  check_replaceable(final_, kind_);
  temporary_.install();
}

void claim_work(const fs::path& dir) {
  if (there(dir) && (!fs::is_directory(dir) || (!fs::is_empty(dir) && kind_of(dir) != "work"))) {
    refuse(fmt::format("{} exists and is no work directory of podium's", dir.string()), dir);
  }
  make_directories(dir);
  write_marker(dir, "work", 1);
}

}  // namespace podium::artifact
