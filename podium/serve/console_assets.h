// The web console's files (console/), embedded when podium is built with PODIUM_CONSOLE.
#pragma once

#include <span>
#include <string_view>

namespace podium::serve {

struct ConsoleAsset {
  // Below /console/: "index.html". What is below assets/ has a digest of its content in its name,
  // so it never changes.
  std::string_view path;
  std::string_view type;  // "text/html; charset=utf-8"
  std::string_view bytes;
  bool gzip;  // bytes are compressed
};

// In order of path; empty without the console.
std::span<const ConsoleAsset> console_assets();

}  // namespace podium::serve
