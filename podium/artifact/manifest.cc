#include "podium/artifact/manifest.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/artifact/checks.h"
#include "podium/base/error.h"
#include "podium/base/parallel.h"

namespace podium::artifact {
namespace {

std::vector<fs::path> files_below(const fs::path& dir) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), dir));
  }
  std::erase(files, fs::path(kManifestName));
  std::sort(files.begin(), files.end());
  return files;
}

void write(const fs::path& dir, Manifest manifest) {
  Json files = Json::object();
  for (const ManifestFile& file : manifest.files) {
    files[file.name] = {{"bytes", file.bytes}, {"sha256", file.sha256}};
  }
  const Json own = {{"kind", manifest.kind},
                    {"version", manifest.version},
                    {"created_by", "podium"},
                    {"sha256", digest(manifest)}};
  write_json_atomic(
      dir / kManifestName,
      {{"podium", own}, {"files", std::move(files)}, {"content", std::move(manifest.content)}});
}

Error corrupt(const std::string& message, const fs::path& where) {
  return Error(ErrorKind::kCorrupt, message,
               "remove the directory and run the command that wrote it again", where.string());
}

bool stays_inside(const fs::path& name) {
  return !name.empty() && name.is_relative() && name.has_filename() &&
         std::none_of(name.begin(), name.end(), [](const fs::path& part) { return part == ".."; });
}

Manifest parse(const Json& json) {
  Manifest manifest;
  const Json& own = json.at("podium");
  manifest.kind = own.at("kind").get<std::string>();
  manifest.version = own.at("version").get<int>();
  for (const auto& [name, entry] : json.at("files").items()) {
    manifest.files.push_back({name, entry.at("bytes").get<uint64_t>(),
                              entry.at("sha256").get_ref<const std::string&>()});
  }
  manifest.content = json.at("content");
  manifest.sha256 = own.value("sha256", "");
  return manifest;
}

}  // namespace

void write_manifest(const fs::path& dir, std::string_view kind, int version, const Json& content) {
  Manifest manifest{std::string(kind), version, {}, content, ""};
  for (const fs::path& file : files_below(dir)) {
    manifest.files.push_back({file.string(), fs::file_size(dir / file), sha256_file(dir / file)});
  }
  write(dir, std::move(manifest));
}

void write_marker(const fs::path& dir, std::string_view kind, int version) {
  write(dir, {std::string(kind), version, {}, Json::object(), ""});
}

std::string digest(const Manifest& manifest) {
  std::string text = fmt::format("{}\n{}\n", manifest.kind, manifest.version);
  for (const ManifestFile& file : manifest.files) {
    text += fmt::format("{}\n{}\n{}\n", file.name, file.bytes, file.sha256);
  }
  return sha256(text + manifest.content.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string damage_of(const Manifest& manifest) {
  const bool sound = manifest.sha256.empty() || manifest.sha256 == digest(manifest);
  return sound ? "" : "manifest.json is damaged: it is not what was written";
}

Manifest load_manifest(const fs::path& dir) {
  const fs::path path = dir / kManifestName;
  if (!fs::exists(path)) {
    throw Error(ErrorKind::kNotFound, "nothing of podium's is here: manifest.json is missing",
                "check the path; a run that was killed is finished by the same command",
                dir.string());
  }
  return parse_manifest(read_file(path), path);
}

Manifest parse_manifest(std::string_view text, const fs::path& path) {
  try {
    Manifest manifest = parse(parse_own_json(text, path));
    for (const ManifestFile& file : manifest.files) {
      if (!stays_inside(file.name)) {
        throw corrupt(fmt::format("the manifest names a file outside: '{}'", file.name), path);
      }
    }
    return manifest;
  } catch (const Json::exception& e) {
    throw corrupt(std::string("malformed manifest: ") + e.what(), path);
  }
}

std::string damage_of(const fs::path& dir, const ManifestFile& file, bool hash) {
  const fs::path path = dir / file.name;
  std::error_code error;
  const char* problem = "";
  if (!fs::is_regular_file(path, error)) {
    problem = "is missing";
  } else if (fs::file_size(path, error) != file.bytes || error) {
    problem = "is damaged: its size is another";
  } else if (hash && sha256_file(path) != file.sha256) {
    problem = "is damaged: its bytes are not those that were written";
  }
  return *problem == 0 ? "" : fmt::format("file '{}' {}", file.name, problem);
}

Json read_manifest(const fs::path& dir, std::string_view kind, int version, bool verify_hashes) {
  if (!fs::exists(dir / kManifestName)) {
    throw Error(ErrorKind::kNotFound, fmt::format("no {} here: manifest.json is missing", kind),
                "check the path; a run that was killed is finished by the same command",
                dir.string());
  }
  Manifest manifest = load_manifest(dir);
  if (manifest.kind != kind) {
    throw Error(fmt::format("expected a {}, found a {}", kind, manifest.kind), "check the path",
                dir.string());
  }
  if (manifest.version != version) {
    throw Error(fmt::format("{} has format version {}, this program reads {}", kind,
                            manifest.version, version),
                "write it again, or use the podium that wrote it", dir.string());
  }
  if (const std::string damage = damage_of(manifest); verify_hashes && !damage.empty()) {
    throw corrupt(damage, dir);
  }
  std::vector<std::string> damages(manifest.files.size());
  parallel_for(verify_hashes ? default_threads() : 1, damages.size(), 1, [&](size_t i, size_t) {
    damages[i] = damage_of(dir, manifest.files[i], verify_hashes);
  });
  for (const std::string& damage : damages) {
    if (!damage.empty()) throw corrupt(damage, dir);
  }
  return std::move(manifest.content);
}

}  // namespace podium::artifact
