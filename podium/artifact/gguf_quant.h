// The element types of GGUF tensors, and their values as float. A type stores a row as blocks of
// a fixed number of elements (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace podium::artifact {

// The numbers are those in the file; other numbers may be held, and are not supported.
enum class GgmlType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ6_K = 14,
  kBF16 = 30,
};

struct GgmlBlock {
  size_t elements, bytes;
};

// ggml's name of the type, of the unsupported ones too; "number 77" where there is none.
std::string ggml_type_name(GgmlType type);
bool ggml_supported(GgmlType type);
GgmlBlock ggml_block(GgmlType type);  // throws Error naming an unsupported type

// The values of whole blocks. blocks: [n * block bytes], at any alignment; out: [n * block
// elements]; other sizes are the caller's fault. Throws Error naming an unsupported type.
void dequantize(GgmlType type, std::span<const std::byte> blocks, std::span<float> out);

}  // namespace podium::artifact
