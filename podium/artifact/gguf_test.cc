// GGUF: files written byte by byte are read back, damaged ones are refused, blocks have the values
// their makers chose.
#include "podium/artifact/gguf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "podium/artifact/half.h"
#include "podium/artifact/test_gguf.h"
#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"

namespace podium::artifact {
namespace {

using namespace gguf_bytes;

GgufFile opened(const std::string& bytes) {  // views of `bytes`
  return GgufFile::parse(std::as_bytes(std::span(bytes)), "memory");
}

// The message the bytes are refused with; empty: they are read.
std::string refusal(const std::string& bytes) {
  const std::vector<char> exact(bytes.begin(), bytes.end());  // so that a sanitizer sees the end
  try {
    GgufFile::parse(std::as_bytes(std::span(exact)), "memory");
    return "";
  } catch (const Error& e) {
    EXPECT_FALSE(e.cure().empty());
    EXPECT_EQ(e.where(), "memory");
    return e.message();
  }
}

std::string small_file() {
  GgufBuilder builder;
  builder.pair("a", kU32, raw<uint32_t>(7)).pair("s", kText, word("word"));
  builder.pair("l", kList, list(kText, 2, word("x") + word("yz")));
  builder.tensor("w", {3, 2}, GgmlType::kF32, std::string(24, '\1'));
  builder.tensor("q", {32}, GgmlType::kQ8_0, std::string(34, '\2'));
  return builder.bytes();
}

template <class Bytes>
std::vector<float> values_of(GgmlType type, const Bytes& blocks) {
  const GgmlBlock block = ggml_block(type);
  std::vector<float> values(blocks.size() / block.bytes * block.elements);
  dequantize(type, std::as_bytes(std::span(blocks)), values);
  return values;
}

TEST(Gguf, ScalarsOfEveryKind) {
  GgufBuilder builder;
  builder.pair("u8", kU8, raw<uint8_t>(200)).pair("i8", kI8, raw<int8_t>(-3));
  builder.pair("u16", kU16, raw<uint16_t>(60000)).pair("i16", kI16, raw<int16_t>(-300));
  builder.pair("u32", kU32, raw<uint32_t>(4000000000)).pair("i32", kI32, raw<int32_t>(70000));
  builder.pair("u64", kU64, raw(~uint64_t{0})).pair("i64", kI64, raw<int64_t>(-5));
  builder.pair("f32", kFloat, raw(0.5F)).pair("f64", kDouble, raw(0.1));
  builder.pair("yes", kTruth, "\1").pair("text", kText, word("a b"));
  const std::string bytes = builder.bytes();
  const GgufFile file = opened(bytes);
  EXPECT_EQ(file.get<uint64_t>("u8"), 200U);
  EXPECT_EQ(file.get<int64_t>("i8"), -3);
  EXPECT_EQ(file.get<uint64_t>("u16") + file.get<uint64_t>("u32"), 4000060000U);
  EXPECT_EQ(file.get<int64_t>("i16") + file.get<int64_t>("i32"), 69700);
  EXPECT_EQ(file.get<uint64_t>("u64"), ~uint64_t{0});
  EXPECT_EQ(file.get<double>("f32") + file.get<double>("i64"), -4.5);
  EXPECT_EQ(file.get<double>("f64"), 0.1);
  EXPECT_TRUE(file.get<bool>("yes"));
  EXPECT_EQ(file.get<std::string_view>("text"), "a b");
  EXPECT_FALSE(file.find<bool>("none"));
  EXPECT_THROW(file.get<bool>("none"), Error);
  EXPECT_THROW(file.find<uint64_t>("i8"), Error);  // negative
  EXPECT_THROW(file.find<int64_t>("u64"), Error);  // too large
  EXPECT_THROW(file.find<uint64_t>("f32"), Error);
  EXPECT_THROW(file.find<double>("yes"), Error);
  EXPECT_THROW(file.array<uint64_t>("u8"), Error);
}

TEST(Gguf, Arrays) {
  GgufBuilder builder;
  builder.pair("words", kList, list(kText, 3, word("<s>") + word("") + word(" b")));
  builder.pair("kinds", kList, list(kI32, 2, raw(-1) + raw(3)));
  builder.pair("bytes", kList, list(kU8, 2, "\7\xff"));
  builder.pair("scores", kList, list(kFloat, 2, raw(0.25F) + raw(-2.0F)));
  builder.pair("flags", kList, list(kTruth, 3, std::string("\1\0\1", 3)));
  builder.pair("empty", kList, list(kText, 0, ""));
  const std::string inner = list(kU8, 1, "\5") + list(kText, 1, word("t"));
  builder.pair("nested", kList, list(kList, 2, inner));
  const std::string bytes = builder.bytes();
  const GgufFile file = opened(bytes);
  EXPECT_EQ(file.array<std::string_view>("words"),
            (std::vector<std::string_view>{"<s>", "", " b"}));
  EXPECT_EQ(file.array<int64_t>("kinds"), (std::vector<int64_t>{-1, 3}));
  EXPECT_EQ(file.array<uint64_t>("bytes"), (std::vector<uint64_t>{7, 255}));
  EXPECT_EQ(file.array<double>("scores"), (std::vector<double>{0.25, -2}));
  EXPECT_EQ(file.array<bool>("flags"), (std::vector<bool>{true, false, true}));
  EXPECT_TRUE(file.array<std::string_view>("empty").empty());
  const auto& nested = std::get<GgufArray>(file.metadata().find("nested")->second);
  const auto& parts = std::get<std::vector<GgufArray>>(nested.items);
  EXPECT_EQ(std::get<std::vector<uint64_t>>(parts.at(0).items), std::vector<uint64_t>{5});
  EXPECT_EQ(std::get<std::vector<std::string_view>>(parts.at(1).items).at(0), "t");
  EXPECT_THROW(file.array<double>("words"), Error);
  EXPECT_THROW(file.array<double>("none"), Error);
  EXPECT_THROW(file.find<uint64_t>("bytes"), Error);
}

TEST(Gguf, TensorsOfBothVersionsAndAnyAlignment) {
  for (const uint32_t version : {2, 3}) {
    for (const uint32_t alignment : {1, 8, 32, 4096}) {
      GgufBuilder builder{version};
      builder.alignment = alignment;
      builder.pair("general.alignment", kU32, raw(alignment));
      builder.tensor("linear", {3, 2}, GgmlType::kF32, std::string(24, 'a'));
      builder.tensor("odd", {1}, GgmlType::kF16, "bb");
      builder.tensor("blocks", {64, 1, 2, 1}, GgmlType::kQ4_0, std::string(72, 'c'));
      builder.tensor("scalar", {}, GgmlType::kF32, "dddd");
      const fs::path path = scratch("tensors.gguf");
      write_file_atomic(path, builder.bytes());
      GgufFile first(path);
      const GgufFile file = std::move(first);  // the views move along
      EXPECT_EQ(file.tensors().size(), 4U);
      EXPECT_EQ(file.tensor("linear").shape, (std::vector<int64_t>{2, 3}));
      EXPECT_EQ(file.tensor("blocks").shape, (std::vector<int64_t>{1, 2, 1, 64}));
      EXPECT_EQ(file.tensor("blocks").type, GgmlType::kQ4_0);
      EXPECT_TRUE(file.tensor("scalar").shape.empty());
      const auto content = [&](const char* name) {
        const std::span<const std::byte> data = file.tensor(name).bytes;
        return std::string(reinterpret_cast<const char*>(data.data()), data.size());
      };
      EXPECT_EQ(content("linear") + content("odd"), std::string(24, 'a') + "bb");
      EXPECT_EQ(content("blocks") + content("scalar"), std::string(72, 'c') + "dddd");
      EXPECT_FALSE(file.has("none"));
      EXPECT_THROW(file.tensor("none"), Error);
    }
  }
  EXPECT_EQ(refusal(GgufBuilder().bytes().substr(0, 24)), "");  // no tensors, no padding
  EXPECT_THROW(GgufFile(scratch("none.gguf")), Error);
}

TEST(Gguf, EveryTruncationIsRefused) {
  const std::string bytes = small_file();
  EXPECT_EQ(refusal(bytes), "");
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_NE(refusal(bytes.substr(0, n)), "") << n;
}

TEST(Gguf, DamagedBytesAreRefusedOrRead) {
  const std::string whole = small_file();
  Rng rng(5);
  size_t refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = whole;
    for (uint64_t k = rng.below(3) + 1; k > 0; --k) {
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(2) ? rng.below(256) : 255);
    }
    refused += !refusal(bytes).empty();
  }
  EXPECT_GT(refused, 5000U);
}

void expect_refused(const std::string& bytes, std::string_view part) {
  const std::string message = refusal(bytes);
  EXPECT_NE(message.find(part), std::string::npos) << message << " lacks " << part;
}

TEST(Gguf, WrongHeadsAreRefused) {
  expect_refused("", "not a GGUF");
  expect_refused("GGML" + GgufBuilder().bytes().substr(4), "not a GGUF");
  for (const auto& [version, part] : {std::pair{99U, "version 99"}, std::pair{1U, "version 1"},
                                      std::pair{0U, "version 0"}, std::pair{3U << 24, "endian"}}) {
    expect_refused(GgufBuilder{version}.bytes(), part);
  }
  const std::string head = "GGUF" + raw(3U), none = raw(uint64_t{0});
  for (const uint64_t count : {uint64_t{1}, uint64_t{1} << 63, ~uint64_t{0}}) {
    expect_refused(std::string(head).append(none).append(raw(count)), "metadata pairs");
    expect_refused(std::string(head).append(raw(count)).append(none), "tensors");
  }
}

TEST(Gguf, WrongMetadataIsRefused) {
  const auto file = [](GgufKind kind, const std::string& value) {
    return GgufBuilder().pair("key", kind, value).bytes();
  };
  for (const uint64_t count : {uint64_t{1000}, uint64_t{1} << 61, uint64_t{1} << 63}) {
    expect_refused(file(kText, raw(count)), "it ends");
    for (const GgufKind kind : {kU8, kI16, kFloat, kTruth, kText, kList, kU64}) {
      expect_refused(file(kList, list(kind, count, "")), "array items");
    }
  }
  expect_refused(file(GgufKind(13), ""), "unknown type 13");
  expect_refused(file(kList, list(GgufKind(99), 1, "")), "unknown type 99");
  expect_refused(file(kTruth, "\2"), "truth value");
  expect_refused(GgufBuilder().pair("k", kU8, "1").pair("k", kU8, "2").bytes(),
                 "'k' is there twice");
  std::string nested = list(kU8, 1, "1");
  for (int i = 0; i < 3; ++i) nested = list(kList, 1, nested);
  EXPECT_EQ(refusal(file(kList, nested)), "");
  expect_refused(file(kList, list(kList, 1, nested)), "nested");
  for (const auto& value : {raw(uint64_t{0}), raw(uint64_t{24}), raw(~uint64_t{0})}) {
    expect_refused(GgufBuilder().pair("general.alignment", kU64, value).bytes(), "power of two");
  }
  GgufBuilder far;
  far.pair("general.alignment", kU64, raw(uint64_t{1} << 63)).plan("w", {1}, 0, 0);
  expect_refused(far.bytes(), "before its data");
}

TEST(Gguf, WrongTensorsAreRefused) {
  const auto file = [](const std::vector<uint64_t>& extents, uint32_t type, uint64_t offset) {
    GgufBuilder builder;
    builder.tensor("first", {8}, GgmlType::kF32, std::string(32, 'a'));
    builder.plan("w\n", extents, type, offset).data += std::string(64, 'b');
    return builder.bytes();
  };
  EXPECT_EQ(refusal(file({16}, 0, 32)), "");
  expect_refused(file({17}, 0, 32), "'w?' lies outside");
  expect_refused(file({16}, 0, 64), "outside");
  expect_refused(file({1}, 0, 96 + 32), "outside");
  expect_refused(file({1}, 0, ~uint64_t{31}), "outside");
  expect_refused(file({1}, 0, 33), "aligned");
  expect_refused(file({1}, 0, 0), "overlaps");
  const uint64_t huge = uint64_t{1} << 62;
  for (const auto& extents : std::vector<std::vector<uint64_t>>{
           {0}, {4, 0}, {huge}, {huge * 2}, {~uint64_t{0}}, {4, huge}, {huge, huge, 2, 0}}) {
    expect_refused(file(extents, 0, 32), "impossible shape");
  }
  for (const auto& extents : std::vector<std::vector<uint64_t>>{{huge, huge}, {48}, {16, 2}, {}}) {
    expect_refused(file(extents, uint32_t(GgmlType::kQ8_0), 32), "impossible shape");
  }
  expect_refused(file({1, 1, 1, 1, 1}, 0, 32), "5 extents");
  expect_refused(file({256}, 13, 32), "unsupported type Q5_K");
  expect_refused(file({1}, 77, 32), "unsupported type number 77");
  GgufBuilder twice;
  for (int i = 0; i < 2; ++i) twice.tensor("w", {1}, GgmlType::kF32, "aaaa");
  expect_refused(twice.bytes(), "'w' is there twice");
}

TEST(GgufQuant, HalvesAreExact) {
  EXPECT_EQ(half_to_float(0xc248), -3.140625F);
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24F);
  EXPECT_EQ(half_to_float(0x83ff), -0x3ffp-24F);
  EXPECT_EQ(half_to_float(0xfc00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(half_to_float(0x7e00)));
  EXPECT_TRUE(std::signbit(half_to_float(0x8000)));
  EXPECT_EQ(bf16_to_float(0xc049), -3.140625F);
  EXPECT_EQ(values_of(GgmlType::kF32, raw(1.5F) + raw(-2.0F)), (std::vector<float>{1.5F, -2}));
  EXPECT_EQ(values_of(GgmlType::kF16, raw<uint16_t>(0x3800) + raw<uint16_t>(0xbc00)),
            (std::vector<float>{0.5F, -1}));
  EXPECT_EQ(values_of(GgmlType::kBF16, raw<uint16_t>(0x3f00)), (std::vector<float>{0.5F}));
}

// Quants in the order of the elements, from 0 to below `limit`.
std::vector<int> random_quants(Rng& rng, size_t count, int limit) {
  std::vector<int> quants(count);
  for (int& q : quants) q = int(rng.below(uint64_t(limit)));
  return quants;
}

const std::string kHalf = raw<uint16_t>(0x3800), kEighth = raw<uint16_t>(0x3000);  // 0.5, 0.125

TEST(GgufQuant, BlocksOf32) {
  Rng rng(1);
  const std::vector<int> q4 = random_quants(rng, 32, 16), q8 = random_quants(rng, 32, 256);
  std::string nibbles, bytes;
  for (size_t i = 0; i < 16; ++i) nibbles += char(q4[i] + 16 * q4[i + 16]);
  for (const int q : q8) bytes += char(q - 128);
  const auto plain = values_of(GgmlType::kQ8_0, kHalf + bytes + kEighth + bytes);
  const auto centred = values_of(GgmlType::kQ4_0, kHalf + nibbles + kEighth + nibbles);
  const auto shifted =
      values_of(GgmlType::kQ4_1, kHalf + kEighth + nibbles + kEighth + kHalf + nibbles);
  ASSERT_EQ(shifted.size(), 64U);
  for (size_t i = 0; i < 32; ++i) {
    EXPECT_EQ(plain[i], float(q8[i] - 128) / 2.0F);
    EXPECT_EQ(plain[32 + i], float(q8[i] - 128) / 8.0F);
    EXPECT_EQ(centred[i], float(q4[i] - 8) / 2.0F);
    EXPECT_EQ(centred[32 + i], float(q4[i] - 8) / 8.0F);
    EXPECT_EQ(shifted[i], float(q4[i]) / 2.0F + 0.125F);
    EXPECT_EQ(shifted[32 + i], float(q4[i]) / 8.0F + 0.5F);
  }
}

TEST(GgufQuant, Q4K) {
  Rng rng(2);
  const std::vector<int> s = random_quants(rng, 8, 64), m = random_quants(rng, 8, 64),
                         q = random_quants(rng, 256, 16);
  std::string block = kHalf + kEighth;
  for (size_t k = 0; k < 4; ++k) block += char(s[k] + s[k + 4] / 16 * 64);
  for (size_t k = 0; k < 4; ++k) block += char(m[k] + m[k + 4] / 16 * 64);
  for (size_t k = 4; k < 8; ++k) block += char(s[k] % 16 + m[k] % 16 * 16);
  for (size_t pair = 0; pair < 256; pair += 64) {
    for (size_t i = pair; i < pair + 32; ++i) block += char(q[i] + q[i + 32] * 16);
  }
  const auto values = values_of(GgmlType::kQ4_K, block + block);
  ASSERT_EQ(values.size(), 512U);
  for (size_t i = 0; i < 512; ++i) {
    const size_t k = i % 256;
    EXPECT_EQ(values[i], 0.5F * float(s[k / 32] * q[k]) - 0.125F * float(m[k / 32])) << i;
  }
}

TEST(GgufQuant, Q6K) {
  Rng rng(3);
  const std::vector<int> s = random_quants(rng, 16, 256), q = random_quants(rng, 256, 64);
  std::string low, high;
  for (size_t half = 0; half < 256; half += 128) {
    for (size_t i = half; i < half + 64; ++i) low += char(q[i] % 16 + q[i + 64] % 16 * 16);
    for (size_t i = half; i < half + 32; ++i) {
      high += char(q[i] / 16 + q[i + 32] / 16 * 4 + q[i + 64] / 16 * 16 + q[i + 96] / 16 * 64);
    }
  }
  std::string block = low + high;
  for (const int scale : s) block += char(scale - 128);
  const auto values = values_of(GgmlType::kQ6_K, block + kEighth + block + kHalf);
  ASSERT_EQ(values.size(), 512U);
  for (size_t i = 0; i < 512; ++i) {
    const size_t k = i % 256;
    EXPECT_EQ(values[i], (i < 256 ? 0.125F : 0.5F) * float((s[k / 16] - 128) * (q[k] - 32))) << i;
  }
}

TEST(GgufQuant, UnsupportedTypesAreNamed) {
  const auto type = static_cast<GgmlType>(11);
  EXPECT_FALSE(ggml_supported(type));
  EXPECT_EQ(ggml_type_name(type), "Q3_K");
  EXPECT_EQ(ggml_type_name(static_cast<GgmlType>(4)), "number 4");
  EXPECT_THROW(ggml_block(type), Error);
  EXPECT_THROW(dequantize(type, {}, {}), Error);
}

// The seed of the fuzzer was written by llama.cpp's package gguf 0.19, whose values these are:
// the sum of (i + 1) * value, exact since all scales are powers of two, and the last value.
TEST(GgufQuant, ValuesOfTheReferencePackage) {
  const GgufFile file("fuzz/corpus/gguf/all_types.gguf");
  EXPECT_EQ(file.get<std::string_view>("general.architecture"), "llama");
  EXPECT_EQ(file.get<uint64_t>("llama.block_count"), 2U);
  EXPECT_EQ(file.array<std::string_view>("tokenizer.ggml.tokens").at(2), "\u2581b");
  EXPECT_EQ(file.tensor("f32").shape, (std::vector<int64_t>{2, 3}));
  const std::map<std::string, std::pair<double, float>> expected = {
      {"f32", {17.5, 1.25F}},    {"f16", {5, 1.5F}},
      {"bf16", {-2.5, -2}},      {"q8_0", {-60.75, -1.90625F}},
      {"q4_0", {64.25, 0.625F}}, {"q4_1", {8.3125, 0.375F}},
      {"q4_k", {41266, 4.375F}}, {"q6_k", {6622.765625, 6.1171875F}}};
  for (const auto& [name, known] : expected) {
    const GgufTensor& tensor = file.tensor(name);
    const std::vector<float> values = values_of(tensor.type, tensor.bytes);
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += double(i + 1) * values[i];
    EXPECT_EQ(std::pair(sum, values.back()), known) << name;
  }
}

}  // namespace
}  // namespace podium::artifact
