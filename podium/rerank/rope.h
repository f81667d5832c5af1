// Rotary positions (2104.09864): dimension i of a head turns by position * frequency[i]. The ways
// of scaling that change the frequencies only, as Transformers' modeling_rope_utils.py defines
// them:
//   linear   every frequency / factor (2306.15595)
//   llama3   long waves / factor, short ones as they are, between them both by share (Llama 3.1)
// Others (yarn, longrope, dynamic) are refused by name.
#pragma once

#include <string_view>
#include <vector>

#include "podium/base/json.h"

namespace podium::rerank {

struct RopeScaling {
  enum class Kind { kNone, kLinear, kLlama3 };
  Kind kind = Kind::kNone;
  double factor = 1;
  // Llama 3: waves longer than original_positions / low_freq are scaled, those shorter than
  // original_positions / high_freq are not.
  double low_freq = 1, high_freq = 4, original_positions = 0;

  bool operator==(const RopeScaling&) const = default;
};

struct Rope {
  double theta = 10000.0;
  RopeScaling scaling;

  bool operator==(const Rope&) const = default;

  // [head_dim / 2], radians a position.
  std::vector<double> frequencies(int head_dim) const;
};

// From a config.json: rope_theta, rope_scaling (Transformers 4) and rope_parameters (Transformers
// 5, also nested by layer type), which must agree where several are given. Throws Error naming the
// field.
Rope rope_of(const Json& config, std::string_view where);

// rope_scaling; null without.
Json to_json(const RopeScaling& scaling);

}  // namespace podium::rerank
