// Tensors of other programs' checkpoints as fp32.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "podium/artifact/safetensors.h"

namespace podium::artifact {

// Throws Error naming the tensor and both shapes unless they are equal.
void check_shape(std::string_view name, const std::vector<int64_t>& shape,
                 const std::vector<int64_t>& wanted, const fs::path& path);

// F32, F16 or BF16; any other type throws Error naming tensor and path. F32 stays in its file;
// what had to be copied lies in `converted`. Valid while both live.
std::span<const float> floats_of(const TensorView& tensor, std::string_view name,
                                 const fs::path& path, std::vector<float>& converted);

}  // namespace podium::artifact
