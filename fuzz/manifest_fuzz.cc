// manifest.json of any bytes: refused, or its file names stay inside and its digest can be told.
#include <cstdint>
#include <string_view>

#include "podium/artifact/manifest.h"
#include "podium/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace podium;
  try {
    const artifact::Manifest manifest = artifact::parse_manifest(
        {reinterpret_cast<const char*>(data), size}, "input/manifest.json");
    for (const artifact::ManifestFile& file : manifest.files) {
      const fs::path path = (fs::path("input") / file.name).lexically_normal();
      PODIUM_CHECK(*path.begin() == "input" && path != "input");
    }
    artifact::digest(manifest);
  } catch (const Error& e) {
    PODIUM_CHECK(e.kind() == ErrorKind::kCorrupt);
  }
  return 0;
}
