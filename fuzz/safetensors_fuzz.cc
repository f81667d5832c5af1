// Weight files: whatever the header says, tensors lie in the file, apart from one another.
#include <cstddef>
#include <cstdint>
#include <span>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace podium::artifact;
  try {
    const auto data = std::as_bytes(std::span(bytes, size));
    const SafetensorsFile file = SafetensorsFile::parse(data, "input");
    size_t total = 0;
    for (const auto& [name, view] : file.tensors()) {
      const auto* begin = view.bytes.data();
      PODIUM_CHECK(begin >= data.data() && begin + view.bytes.size() <= data.data() + size);
      total += view.bytes.size();
      size_t elements = 1;
      for (const int64_t extent : view.shape) elements *= size_t(extent);
      if (view.dtype == Dtype::kForeign) continue;
      PODIUM_CHECK(elements * dtype_size(view.dtype) == view.bytes.size());
    }
    PODIUM_CHECK(total <= size);
  } catch (const podium::Error&) {  // bad input is told, never a crash
  }
  return 0;
}
