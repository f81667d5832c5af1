// manifest.json: what a directory holds. {"podium": {"kind", "version", "created_by", "sha256"},
// "files": {name: {"bytes", "sha256"}}, "content": {...}}. The first sha256 is of the manifest's
// own kind, version, files and content; older manifests have none. Other keys are ignored, so that
// later programs of the same version may add some.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"

namespace podium::artifact {

struct ManifestFile {
  std::string name;  // relative to the directory, never out of it
  uint64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::string kind;  // "dataset", "bundle", "stage", ...
  int version = 0;
  std::vector<ManifestFile> files;
  Json content;
  std::string sha256;  // as written; see digest()
};

inline constexpr const char* kManifestName = "manifest.json";

// Writes dir/manifest.json over all files now in `dir` (recursively, itself aside).
void write_manifest(const fs::path& dir, std::string_view kind, int version, const Json& content);
// One that lists no files: marks a directory whose files come and go as podium's.
void write_marker(const fs::path& dir, std::string_view kind, int version);

// The manifest itself; looks at no other file. Throws Error: kNotFound when there is none, kCorrupt
// when it is malformed or names files outside of `dir`.
Manifest load_manifest(const fs::path& dir);
Manifest parse_manifest(std::string_view text, const fs::path& path);  // its second half

std::string digest(const Manifest& manifest);  // what its sha256 should be

// What is wrong with the manifest itself, as a sentence; empty: nothing.
std::string damage_of(const Manifest& manifest);
// What is wrong with a file of the manifest (missing, another size, with `hash` another sha256), as
// a sentence that names it; empty: nothing.
std::string damage_of(const fs::path& dir, const ManifestFile& file, bool hash);

// Reads and checks it: kind and version must match, all files must be there with their sizes.
// verify_hashes also compares every sha256, the manifest's own among them. Throws Error saying
// which file is wrong and what to do. Returns "content".
Json read_manifest(const fs::path& dir, std::string_view kind, int version,
                   bool verify_hashes = false);

}  // namespace podium::artifact
