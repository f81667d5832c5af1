#include "podium/artifact/checks.h"

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"

namespace podium::artifact {

void check_sound(bool sound, const std::string& flaw, const fs::path& file,
                 const std::string& cure) {
  if (!sound) throw Error(ErrorKind::kCorrupt, "damaged file: " + flaw, cure, file.string());
}

Json read_own_json(const fs::path& file) { return parse_own_json(read_file(file), file); }

Json parse_own_json(std::string_view text, const fs::path& file) {
  try {
    return parse_json(text, file.string());
  } catch (const Error& e) {
    throw Error(ErrorKind::kCorrupt, e.message(), "write it again with the command that wrote it",
                e.where());
  }
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

bool all_below(std::span<const uint32_t> values, size_t end) {
  return std::all_of(values.begin(), values.end(), [&](uint32_t value) { return value < end; });
}

bool are_offsets(std::span<const int64_t> offsets, size_t end) {
  return !offsets.empty() && offsets.front() == 0 && offsets.back() == int64_t(end) &&
         std::is_sorted(offsets.begin(), offsets.end());
}

}  // namespace podium::artifact
