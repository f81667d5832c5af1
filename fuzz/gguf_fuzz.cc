// Model files of llama.cpp: the header, the metadata, and the values of small tensors.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "podium/artifact/gguf.h"
#include "podium/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using podium::artifact::GgufFile;
  try {
    const GgufFile file = GgufFile::parse(std::as_bytes(std::span(bytes, size)), "input");
    for (const auto& [name, tensor] : file.tensors()) {
      const auto block = podium::artifact::ggml_block(tensor.type);
      const size_t elements = tensor.bytes.size() / block.bytes * block.elements;
      if (elements > 4096) continue;
      std::vector<float> values(elements);
      podium::artifact::dequantize(tensor.type, tensor.bytes, values);
    }
    for (const auto& [key, value] : file.metadata()) file.find<uint64_t>(key);
  } catch (const podium::Error&) {  // bad input is told, never a crash
  }
  return 0;
}
