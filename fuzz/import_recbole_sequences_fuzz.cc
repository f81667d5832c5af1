// RecBole's files of sequences.
#include <cstddef>
#include <cstdint>

#include "podium/base/error.h"
#include "podium/data/import_recbole_sequences.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  podium::data::Lines lines("input", {reinterpret_cast<const char*>(bytes), size});
  podium::data::DatasetBuilder builder;
  podium::data::ImportSink sink(builder, /*strict=*/false, /*rejected=*/"");
  try {
    podium::data::RecboleSequences sequences(sink);
    sequences.read(lines, {});
    sequences.finish();
  } catch (const podium::Error&) {  // bad input is told, never a crash
  }
  return 0;
}
