// manifest.json: what a directory holds. {"podium": {"kind", "version", "created_by"}, "files":
// {name: {"bytes", "sha256"}}, "content": {...}}.
#pragma once

#include <string>
#include <string_view>

#include "podium/base/files.h"
#include "podium/base/json.h"

namespace podium::artifact {

// Writes dir/manifest.json over all files now in `dir` (recursively, itself aside).
void write_manifest(const fs::path& dir, std::string_view kind, int version, const Json& content);

// Reads and checks it: kind and version must match, all files must be there with their sizes.
// verify_hashes also compares sha256. Throws Error saying which file is wrong and what to do.
// Returns "content".
Json read_manifest(const fs::path& dir, std::string_view kind, int version,
                   bool verify_hashes = false);

}  // namespace podium::artifact
