#include "podium/base/json.h"

#include "podium/base/error.h"

namespace podium {
namespace {

constexpr int kMaxDepth = 64;

// Rejects over-deep nesting before the recursive parser meets it.
void check_depth(std::string_view text, std::string_view where) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) {
        throw Error("JSON is nested deeper than 64 levels", "flatten it", std::string(where));
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  check_depth(text, where);
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    throw Error(std::string("malformed JSON: ") + e.what(), "mend the file or write it again",
                std::string(where));
  }
}

Json read_json(const fs::path& path) { return parse_json(read_file(path), path.string()); }

void write_json_atomic(const fs::path& path, const Json& value) {
  write_file_atomic(path, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace podium
