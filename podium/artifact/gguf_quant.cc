#include "podium/artifact/gguf_quant.h"

#include <fmt/format.h>

#include <cstring>

#include "podium/artifact/half.h"
#include "podium/base/error.h"

namespace podium::artifact {
namespace {

using Unpack = void (*)(const uint8_t* block, float* out);

uint16_t load_u16(const uint8_t* from) {
  uint16_t bits;
  std::memcpy(&bits, from, sizeof(bits));
  return bits;
}

float load_half(const uint8_t* from) { return half_to_float(load_u16(from)); }

void unpack_f32(const uint8_t* block, float* out) { std::memcpy(out, block, sizeof(float)); }
void unpack_f16(const uint8_t* block, float* out) { *out = load_half(block); }
void unpack_bf16(const uint8_t* block, float* out) { *out = bf16_to_float(load_u16(block)); }

// scale, int8[32]
void unpack_q8_0(const uint8_t* block, float* out) {
  const float scale = load_half(block);
  for (int i = 0; i < 32; ++i) out[i] = scale * float(static_cast<int8_t>(block[2 + i]));
}

// scale, 16 bytes: the low halves are elements 0 to 15, the high ones 16 to 31; 8 means zero
void unpack_q4_0(const uint8_t* block, float* out) {
  const float scale = load_half(block);
  for (int i = 0; i < 16; ++i) {
    out[i] = scale * float((block[2 + i] & 15) - 8);
    out[i + 16] = scale * float((block[2 + i] >> 4) - 8);
  }
}

// scale, minimum, 16 bytes in the order of Q4_0
void unpack_q4_1(const uint8_t* block, float* out) {
  const float scale = load_half(block), minimum = load_half(block + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = scale * float(block[4 + i] & 15) + minimum;
    out[i + 16] = scale * float(block[4 + i] >> 4) + minimum;
  }
}

// scale, minimum, 12 bytes of eight 6-bit scales and eight 6-bit minima, 128 bytes of quants.
// Packed bytes 0-3: scales 0-3, and above them the top two bits of scales 4-7; bytes 4-7: the same
// of the minima; bytes 8-11: the low four bits of scales 4-7, and above them those of the minima.
// 32 bytes of quants are two groups of 32 elements: the low halves, then the high ones.
void unpack_q4_k(const uint8_t* block, float* out) {
  const float scale = load_half(block), minimum = load_half(block + 2);
  const uint8_t *packed = block + 4, *quants = block + 16;
  for (int group = 0; group < 8; ++group) {
    const int k = group % 4;
    int s = packed[k] & 63, m = packed[4 + k] & 63;
    if (group >= 4) {
      s = (packed[8 + k] & 15) | (packed[k] >> 6) << 4;
      m = (packed[8 + k] >> 4) | (packed[4 + k] >> 6) << 4;
    }
    const float step = scale * float(s), base = minimum * float(m);
    for (int i = 0; i < 32; ++i) {
      const int q = quants[group / 2 * 32 + i] >> (group % 2 * 4) & 15;
      out[group * 32 + i] = step * float(q) - base;
    }
  }
}

// 128 bytes of low four bits, 64 bytes of high two bits, int8 scales of 16 elements each, scale.
// A half (128 elements) is four runs of 32: low bits of runs 0 and 2 share 32 bytes, so do 1 and
// 3; the high bits of all four share 32 bytes. 32 means zero.
void unpack_q6_k(const uint8_t* block, float* out) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  const float scale = load_half(block + 208);
  for (int group = 0; group < 16; ++group) {
    const int half = group / 8, run = group / 2 % 4, lane = group % 2 * 16;
    const uint8_t *lows = low + half * 64 + run % 2 * 32 + lane, *highs = high + half * 32 + lane;
    const float step = scale * float(static_cast<int8_t>(scales[group]));
    for (int i = 0; i < 16; ++i) {
      const int bits = lows[i] >> (run / 2 * 4) & 15, top = highs[i] >> (run * 2) & 3;
      out[group * 16 + i] = step * float((bits | top << 4) - 32);
    }
  }
}

struct GgmlFormat {
  GgmlType type;
  GgmlBlock block;
  Unpack unpack;
};
constexpr GgmlFormat kFormats[] = {
    {GgmlType::kF32, {1, 4}, unpack_f32},       {GgmlType::kF16, {1, 2}, unpack_f16},
    {GgmlType::kQ4_0, {32, 18}, unpack_q4_0},   {GgmlType::kQ4_1, {32, 20}, unpack_q4_1},
    {GgmlType::kQ8_0, {32, 34}, unpack_q8_0},   {GgmlType::kQ4_K, {256, 144}, unpack_q4_k},
    {GgmlType::kQ6_K, {256, 210}, unpack_q6_k}, {GgmlType::kBF16, {1, 2}, unpack_bf16}};

const GgmlFormat* find_format(GgmlType type) {
  for (const GgmlFormat& format : kFormats) {
    if (format.type == type) return &format;
  }
  return nullptr;
}

const GgmlFormat& format_of(GgmlType type) {
  const GgmlFormat* format = find_format(type);
  if (format == nullptr) {
    throw Error(fmt::format("GGUF type {} is not supported", ggml_type_name(type)),
                "use F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K");
  }
  return *format;
}

// By number; an empty name is a number that was given up or never given.
constexpr const char* kTypeNames[] = {
    "F32",     "F16",   "Q4_0",   "Q4_1",  "",      "",       "Q5_0", "Q5_1",    "Q8_0",
    "Q8_1",    "Q2_K",  "Q3_K",   "Q4_K",  "Q5_K",  "Q6_K",   "Q8_K", "IQ2_XXS", "IQ2_XS",
    "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",   "I16",     "I32",
    "I64",     "F64",   "IQ1_M",  "BF16",  "",      "",       "",     "TQ1_0",   "TQ2_0",
    "",        "",      "",       "MXFP4", "NVFP4", "Q1_0"};

}  // namespace

std::string ggml_type_name(GgmlType type) {
  const auto number = static_cast<uint32_t>(type);
  if (number < std::size(kTypeNames) && *kTypeNames[number] != '\0') return kTypeNames[number];
  return fmt::format("number {}", number);
}

bool ggml_supported(GgmlType type) { return find_format(type) != nullptr; }

GgmlBlock ggml_block(GgmlType type) { return format_of(type).block; }

void dequantize(GgmlType type, std::span<const std::byte> blocks, std::span<float> out) {
  const GgmlFormat& format = format_of(type);
  const size_t count = blocks.size() / format.block.bytes;
  PODIUM_CHECK(blocks.size() % format.block.bytes == 0);
  PODIUM_CHECK(out.size() == count * format.block.elements);
  const auto* from = reinterpret_cast<const uint8_t*>(blocks.data());
  for (size_t i = 0; i < count; ++i) {
    format.unpack(from + i * format.block.bytes, out.data() + i * format.block.elements);
  }
}

}  // namespace podium::artifact
