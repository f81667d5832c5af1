// Slates that another engine showed.
#include <cstddef>
#include <cstdint>

#include "podium/base/error.h"
#include "podium/data/import_shown.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  podium::data::Lines lines("input", {reinterpret_cast<const char*>(bytes), size});
  podium::data::DatasetBuilder builder;
  podium::data::ImportSink sink(builder, /*strict=*/false, /*rejected=*/"");
  try {
    podium::data::import_shown(lines, sink);
  } catch (const podium::Error&) {  // bad input is told, never a crash
  }
  return 0;
}
