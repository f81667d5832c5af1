// config.json: a model that is read is within bounds and survives being written.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "podium/base/error.h"
#include "podium/rerank/model_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace podium::rerank;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  try {
    const ModelSpec spec = from_config_json(podium::parse_json(text, "input"), "input");
    PODIUM_CHECK(spec.heads % spec.kv_heads == 0 && spec.head_dim % 2 == 0);
    for (const double frequency : spec.rope.frequencies(spec.head_dim)) {
      PODIUM_CHECK(std::isfinite(frequency) && frequency >= 0);
    }
    const ModelSpec again = from_config_json(to_config_json(spec), "written");
    PODIUM_CHECK(again.rope == spec.rope && again.parameters() == spec.parameters());
  } catch (const podium::Error&) {  // bad input is told, never a crash
  }
  return 0;
}
