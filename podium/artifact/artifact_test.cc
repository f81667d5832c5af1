// safetensors and manifests: what is written comes back, what is damaged is refused.
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
