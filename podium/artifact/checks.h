// Checks of what files of podium's hold: made once, when a file is opened, so that a damaged file
// is an Error of kind kCorrupt and never read beyond its end.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "podium/base/files.h"
#include "podium/base/json.h"

namespace podium::artifact {

// Throws Error (kCorrupt) naming the file unless `sound`.
void check_sound(bool sound, const std::string& flaw, const fs::path& file,
                 const std::string& cure = "write it again with the command that wrote it");

// JSON that podium wrote: malformed, it is corrupt.
Json parse_own_json(std::string_view text, const fs::path& file);
Json read_own_json(const fs::path& file);

bool all_finite(std::span<const float> values);
bool all_below(std::span<const uint32_t> values, size_t end);
// 0 = offsets[0] <= offsets[1] <= ... <= offsets.back() = end
bool are_offsets(std::span<const int64_t> offsets, size_t end);

}  // namespace podium::artifact
