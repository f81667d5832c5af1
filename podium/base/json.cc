#include "podium/base/json.h"

#include <utility>
#include <vector>

#include "podium/base/error.h"

namespace podium {
namespace {

constexpr size_t kMaxDepth = 64;

// What nlohmann's parser, which does not recurse, calls for each part of a text (its "SAX"
// interface); makes the value of it.
class JsonBuilder {
 public:
  explicit JsonBuilder(std::string_view where) : where_(where) {}

  Json take() { return std::move(root_); }

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(int64_t value) { return put(value); }
  bool number_unsigned(uint64_t value) { return put(value); }
  bool number_float(double value, const std::string&) { return put(value); }
  bool string(std::string& value) { return put(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }  // JSON has none
  bool start_object(size_t) { return open(Json::object()); }
  bool start_array(size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    auto& object = open_.back()->get_ref<Json::object_t&>();
    const auto [place, fresh] = object.emplace(name, Json());
    if (!fresh) {
      throw Error("malformed JSON: the key \"" + name + "\" stands twice in one object",
                  "keep one of them", std::string(where_));
    }
    member_ = &place->second;
    return true;
  }

  bool parse_error(size_t, const std::string&, const Json::exception& error) {
    throw Error(std::string("malformed JSON: ") + error.what(), "mend the file or write it again",
                std::string(where_));
  }

 private:
  bool put(Json&& value) {
    place(std::move(value));
    return true;
  }

  bool open(Json&& value) {
    if (open_.size() == kMaxDepth) {
      throw Error("JSON is nested deeper than 64 levels", "flatten it", std::string(where_));
    }
    open_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  Json* place(Json&& value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (open_.back()->is_object()) return &(*member_ = std::move(value));
    auto& items = open_.back()->get_ref<Json::array_t&>();
    return &items.emplace_back(std::move(value));
  }

  std::string_view where_;
  Json root_;
  // The objects and arrays that are open, outermost first. They stay in place: what holds one of
  // them does not grow before it is closed.
  std::vector<Json*> open_;
  Json* member_ = nullptr;  // of the innermost object: the value that comes next
};

}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  JsonBuilder builder(where);
  Json::sax_parse(text, &builder);
  return builder.take();
}

Json read_json(const fs::path& path) { return parse_json(read_file(path), path.string()); }

void write_json_atomic(const fs::path& path, const Json& value) {
  write_file_atomic(path, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace podium
