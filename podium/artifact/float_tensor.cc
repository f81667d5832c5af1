#include "podium/artifact/float_tensor.h"

#include <fmt/format.h>

#include <cstring>

#include "podium/artifact/half.h"
#include "podium/base/error.h"

namespace podium::artifact {

void check_shape(std::string_view name, const std::vector<int64_t>& shape,
                 const std::vector<int64_t>& wanted, const fs::path& path) {
  if (shape == wanted) return;
  throw Error(fmt::format("tensor {} has shape [{}], the configuration asks for [{}]", name,
                          fmt::join(shape, ", "), fmt::join(wanted, ", ")),
              "use the configuration and the weights of one checkpoint", path.string());
}

std::span<const float> floats_of(const TensorView& tensor, std::string_view name,
                                 const fs::path& path, std::vector<float>& converted) {
  if (tensor.dtype != Dtype::kF32 && tensor.dtype != Dtype::kBF16 && tensor.dtype != Dtype::kF16) {
    throw Error(fmt::format("tensor {} is of type {}, which is not supported", name, tensor.type),
                "convert the checkpoint to F32, BF16 or F16", path.string());
  }
  const std::byte* const from = tensor.bytes.data();
  const size_t count = tensor.bytes.size() / dtype_size(tensor.dtype);
  const bool aligned = reinterpret_cast<uintptr_t>(from) % alignof(float) == 0;
  if (tensor.dtype == Dtype::kF32 && aligned) {
    return {reinterpret_cast<const float*>(from), count};
  }
  converted.resize(count);
  if (tensor.dtype == Dtype::kF32) {
    std::memcpy(converted.data(), from, tensor.bytes.size());
    return converted;
  }
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, from + 2 * i, 2);
    converted[i] = tensor.dtype == Dtype::kBF16 ? bf16_to_float(bits) : half_to_float(bits);
  }
  return converted;
}

}  // namespace podium::artifact
