#include "podium/artifact/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "podium/base/error.h"

namespace podium::artifact {
namespace {

constexpr const char* kName = "manifest.json";

std::vector<fs::path> files_below(const fs::path& dir) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), dir));
  }
  std::erase(files, fs::path(kName));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

void write_manifest(const fs::path& dir, std::string_view kind, int version, const Json& content) {
  Json files = Json::object();
  for (const fs::path& file : files_below(dir)) {
    files[file.string()] = {{"bytes", fs::file_size(dir / file)},
                            {"sha256", sha256_file(dir / file)}};
  }
  write_json_atomic(dir / kName,
                    {{"podium", {{"kind", kind}, {"version", version}, {"created_by", "podium"}}},
                     {"files", files},
                     {"content", content}});
}

Json read_manifest(const fs::path& dir, std::string_view kind, int version, bool verify_hashes) {
  const fs::path path = dir / kName;
  if (!fs::exists(path)) {
    throw Error(fmt::format("no {} here: manifest.json is missing", kind),
                "check the path; a run that was killed is finished by the same command",
                dir.string());
  }
  const Json manifest = read_json(path);
  try {
    const Json& own = manifest.at("podium");
    const std::string found = own.at("kind").get<std::string>();
    if (found != kind) {
      throw Error(fmt::format("expected a {}, found a {}", kind, found), "check the path",
                  dir.string());
    }
    if (const int found = own.at("version").get<int>(); found != version) {
      throw Error(
          fmt::format("{} has format version {}, this program reads {}", kind, found, version),
          "write it again, or use the podium that wrote it", dir.string());
    }
    for (const auto& [name, entry] : manifest.at("files").items()) {
      const fs::path file = dir / name;
      if (!fs::is_regular_file(file) || fs::file_size(file) != entry.at("bytes").get<uintmax_t>() ||
          (verify_hashes && sha256_file(file) != entry.at("sha256").get<std::string>())) {
        throw Error(fmt::format("file '{}' is missing or damaged", name),
                    "remove the directory and run the command that wrote it again", dir.string());
      }
    }
    return manifest.at("content");
  } catch (const Json::exception& e) {
    throw Error(std::string("malformed manifest: ") + e.what(), "write the directory again",
                path.string());
  }
}

}  // namespace podium::artifact
