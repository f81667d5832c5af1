#include "podium/artifact/verify.h"

#include <algorithm>
#include <set>

#include "podium/artifact/manifest.h"
#include "podium/base/progress.h"

namespace podium::artifact {
namespace {

// Directories with a manifest of their own below `dir`, but those that `listed` accounts for.
std::vector<fs::path> manifests_below(const fs::path& dir, const std::set<fs::path>& listed) {
  std::vector<fs::path> found;
  for (auto at = fs::recursive_directory_iterator(dir); at != fs::recursive_directory_iterator();
       ++at) {
    if (!fs::is_directory(at->symlink_status())) continue;
    const std::string name = at->path().filename().string();
    if (name.starts_with(".") && name.find(".podium-") != std::string::npos) {
      at.disable_recursion_pending();  // unfinished
    } else if (fs::exists(at->path() / kManifestName) &&
               !listed.contains(at->path().lexically_relative(dir) / kManifestName)) {
      found.push_back(at->path());
      at.disable_recursion_pending();
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

void verify_below(const fs::path& dir, std::vector<VerifiedDir>& all) {
  const Manifest manifest = load_manifest(dir);
  VerifiedDir result{dir, manifest.kind,      manifest.version, manifest.files.size(),
                     0,   damage_of(manifest)};
  std::set<fs::path> listed;
  for (const ManifestFile& file : manifest.files) {
    stop_if_interrupted();
    listed.insert(file.name);
    result.bytes += file.bytes;
    if (result.damage.empty()) result.damage = damage_of(dir, file, /*hash=*/true);
  }
  all.push_back(std::move(result));
  for (const fs::path& below : manifests_below(dir, listed)) verify_below(below, all);
}

}  // namespace

std::vector<VerifiedDir> verify(const fs::path& dir) {
  std::vector<VerifiedDir> all;
  verify_below(dir, all);
  return all;
}

}  // namespace podium::artifact
