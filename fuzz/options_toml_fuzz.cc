// Any bytes as an option file become options or an Error; what `podium config` then prints is read
// back as the same values.
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/files.h"
#include "podium/base/options.h"

namespace {

struct Nested {
  double rate = 0.5;
  bool on = false;
  std::vector<std::string> sources = {"popularity", "content"};
  template <class V>
  void visit(V& v) {
    v("rate", rate, "a rate");
    v("on", on, "a switch");
    v("sources", sources, "names");
  }
};

struct Options {
  int levels = 4;
  int64_t seed = 1;
  std::string name = "a \"name\"";
  Nested nested;
  template <class V>
  void visit(V& v) {
    v("levels", levels, "a number");
    v("seed", seed, "a long number");
    v("name", name, "a text");
    v.section("nested", nested);
  }
};

void write(const podium::fs::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

void check(std::string_view text) {
  static const podium::fs::path file =
      podium::fs::temp_directory_path() / ("podium-fuzz-" + std::to_string(getpid()) + ".toml");
  write(file, text);
  Options options;
  const podium::OptionList list(options);
  list.load_toml(file);
  const podium::Json values = list.to_json();
  write(file, list.to_toml());
  Options again;
  const podium::OptionList copy(again);
  copy.load_toml(file);
  PODIUM_CHECK(copy.to_json() == values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    check({reinterpret_cast<const char*>(data), size});
  } catch (const podium::Error&) {
  }
  return 0;
}
