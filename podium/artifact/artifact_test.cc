// safetensors and manifests: what is written comes back, what is damaged is refused.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "podium/artifact/manifest.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"

namespace podium::artifact {
namespace {

fs::path sample(const std::string& name) {
  const fs::path file = scratch(name);
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
  const std::vector<int64_t> ids = {7, 8};
  const std::string text = "abc";
  SafetensorsWriter writer;
  writer.add<float>("w", weights, {2, 3});
  writer.add<int64_t>("ids", ids);
  writer.add<char>("text", std::span<const char>(text));
  writer.set_metadata("kind", "test");
  writer.write(file);
  return file;
}

TEST(Safetensors, RoundTrip) {
  const SafetensorsFile file(sample("round"));
  EXPECT_EQ(file.tensor("w").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(file.get<float>("w")[4], 5);
  EXPECT_EQ(file.get<int64_t>("ids")[1], 8);
  EXPECT_EQ(file.get<char>("text")[2], 'c');
  EXPECT_EQ(file.metadata().at("kind"), "test");
  EXPECT_THROW(file.get<float>("ids"), Error);
  EXPECT_THROW(file.get<float>("none"), Error);
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string bytes = read_file(sample("whole"));
  const fs::path cut = scratch("cut");
  for (size_t n = 0; n < bytes.size(); ++n) {
    write_file_atomic(cut, std::string_view(bytes).substr(0, n));
    EXPECT_THROW(SafetensorsFile{cut}, Error) << n;
    if (n == 20) n = bytes.size() - 40;  // the header's middle is one long JSON error
  }
}

TEST(Safetensors, DamagedHeadersAreRefusedOrRead) {
  const std::string whole = read_file(sample("damage"));
  const fs::path file = scratch("damaged");
  Rng rng(5);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = whole;
    bytes[rng.below(180)] = static_cast<char>(rng.below(256));
    write_file_atomic(file, bytes);
    try {
      const SafetensorsFile read(file);
      for (const auto& [name, view] : read.tensors()) EXPECT_LE(view.bytes.size(), bytes.size());
    } catch (const Error&) {
    }
  }
}

std::string file_of(std::string header, size_t data) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(data, '\1');
}

std::string header_refusal(const std::string& bytes) {
  try {
    SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "t");
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "t");
    return error.message();
  }
  return "read";
}

TEST(Safetensors, TypesOfOthersAreReadPast) {
  const std::pair<const char*, size_t> foreign[] = {{"F64", 8},     {"U64", 8}, {"U32", 4},
                                                    {"U16", 2},     {"C64", 8}, {"F8_E4M3", 1},
                                                    {"F8_E5M2", 1}, {"NEW", 3}};
  for (const auto& [type, size] : foreign) {
    const std::string bytes =
        file_of(fmt::format(R"({{"a":{{"dtype":"F32","shape":[],"data_offsets":[0,4]}},)"
                            R"("b":{{"dtype":"{}","shape":[2],"data_offsets":[4,{}]}}}})",
                            type, 4 + 2 * size),
                4 + 2 * size);
    const auto file = SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "t");
    EXPECT_EQ(file.get<float>("a").size(), 1U);
    EXPECT_EQ(file.tensor("b").dtype, Dtype::kForeign);
    EXPECT_EQ(file.tensor("b").type, type);
    try {
      file.get<float>("b");
      FAIL();
    } catch (const Error& error) {
      EXPECT_NE(error.message().find(type), std::string::npos);
    }
  }
}

TEST(Safetensors, TensorsFillTheDataOnce) {
  const auto two = [](const char* first, const char* second, size_t data) {
    return header_refusal(
        file_of(fmt::format(R"({{"a":{{"dtype":"F32","shape":[2],"data_offsets":{}}},)"
                            R"("b":{{"dtype":"F32","shape":[2],"data_offsets":{}}}}})",
                            first, second),
                data));
  };
  EXPECT_EQ(two("[0,8]", "[8,16]", 16), "read");
  EXPECT_EQ(two("[8,16]", "[0,8]", 16), "read");
  EXPECT_NE(two("[0,8]", "[4,12]", 12).find("overlaps"), std::string::npos);
  EXPECT_NE(two("[0,8]", "[0,8]", 8).find("overlaps"), std::string::npos);
  EXPECT_NE(two("[0,8]", "[12,20]", 20).find("hole"), std::string::npos);
  EXPECT_NE(two("[0,8]", "[8,16]", 20).find("follow"), std::string::npos);
  EXPECT_NE(two("[0,8]", "[8,16]", 12).find("outside"), std::string::npos);
  for (const char* offsets : {"[8,4]", "[0]", "[0,8,9]", "[-8,0]", "[0.0,8.0]", "null", "8",
                              "[0,18446744073709551615]"}) {
    EXPECT_NE(two(offsets, "[8,16]", 16), "read") << offsets;
  }
  for (const char* shape : {"[2.5]", "[-2]", "[4294967296,4294967296,4294967296]", "3", "[\"2\"]",
                            "[9223372036854775807,2]"}) {
    EXPECT_NE(
        header_refusal(file_of(
            fmt::format(R"({{"a":{{"dtype":"F32","shape":{},"data_offsets":[0,8]}}}})", shape), 8)),
        "read")
        << shape;
  }
  const std::string entry = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  EXPECT_NE(header_refusal(file_of("{" + entry + "," + entry + "}", 8)).find("twice"),
            std::string::npos);
  EXPECT_NE(header_refusal(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F{}", 10)), "read");
  EXPECT_EQ(
      header_refusal(file_of(R"({"none":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})", 0)),
      "read");
}

// One wrong byte in the header never gives other numbers: it is refused, or changes a name, a type
// of the same width, a shape of the same size or what the metadata say.
TEST(Safetensors, FlippedBytesNeverMoveATensor) {
  const std::string whole = read_file(sample("flips"));
  const auto first = SafetensorsFile::parse(std::as_bytes(std::span(whole)), "t");
  const size_t header = whole.size() - 24 - 16 - 3;
  for (size_t at = 0; at < header; ++at) {
    for (const int mask : {0x01, 0x02, 0x10, 0x20, 0x80}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ mask);
      try {
        const auto file = SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "t");
        for (const auto& [name, view] : file.tensors()) {
          if (!first.has(name)) continue;
          EXPECT_EQ(
              view.bytes.data() - reinterpret_cast<const std::byte*>(bytes.data()),
              first.tensor(name).bytes.data() - reinterpret_cast<const std::byte*>(whole.data()));
          EXPECT_EQ(view.bytes.size(), first.tensor(name).bytes.size());
        }
      } catch (const Error&) {
      }
    }
  }
}

TEST(Manifest, TellsWhatIsWrong) {
  const fs::path dir = scratch("manifest");
  write_file_atomic(dir / "a.bin", "hello");
  write_manifest(dir, "dataset", 2, {{"x", 1}});
  EXPECT_EQ(read_manifest(dir, "dataset", 2, true).at("x"), 1);
  EXPECT_THROW(read_manifest(dir, "policy", 2), Error);
  EXPECT_THROW(read_manifest(dir, "dataset", 1), Error);
  EXPECT_THROW(read_manifest(dir, "dataset", 3), Error);
  Json manifest = read_json(dir / "manifest.json");
  manifest["newer"] = 1;  // of a later minor version
  write_json_atomic(dir / "manifest.json", manifest);
  EXPECT_NO_THROW(read_manifest(dir, "dataset", 2, true));
  manifest["content"]["x"] = 2;
  write_json_atomic(dir / "manifest.json", manifest);
  EXPECT_NO_THROW(read_manifest(dir, "dataset", 2));
  EXPECT_THROW(read_manifest(dir, "dataset", 2, true), Error);
  for (const char* outside : {"../a.bin", "/etc/passwd", "b/../../a.bin", "", "b/"}) {
    manifest["files"] = {{outside, {{"bytes", 5}, {"sha256", ""}}}};
    write_json_atomic(dir / "manifest.json", manifest);
    EXPECT_THROW(read_manifest(dir, "dataset", 2), Error) << outside;
  }
  write_manifest(dir, "dataset", 2, {{"x", 1}});
  write_file_atomic(dir / "a.bin", "hellO");
  EXPECT_NO_THROW(read_manifest(dir, "dataset", 2));
  EXPECT_THROW(read_manifest(dir, "dataset", 2, true), Error);
  write_file_atomic(dir / "a.bin", "hell");
  EXPECT_THROW(read_manifest(dir, "dataset", 2), Error);
}

}  // namespace
}  // namespace podium::artifact
