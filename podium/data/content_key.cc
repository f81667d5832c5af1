#include "podium/data/content_key.h"

#include "podium/base/error.h"
#include "podium/base/json.h"

namespace podium::data {

std::string content_key(const fs::path& dir) {
  const fs::path file = dir / "manifest.json";
  const Json manifest = read_json(file);
  std::string text;
  try {
    for (const auto& [name, facts] : manifest.at("files").items()) {
      if (!name.ends_with(".safetensors")) continue;
      text += name + " " + facts.at("sha256").get<std::string>() + "\n";
    }
  } catch (const Json::exception&) {
    throw Error("malformed manifest", "import the data again", file.string());
  }
  return sha256(text);
}

}  // namespace podium::data
