// Reads the fields of a JSON object that other programs wrote: every error names the field, what it
// holds, the place and the cure. What a reader does not know is refused, not passed over.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "podium/base/json.h"

namespace podium {

class JsonFields {
 public:
  // `what` names the object in errors ("the model configuration"); json must outlive the reader.
  // Throws Error when it is no object.
  JsonFields(const Json& json, std::string_view what, std::string_view cure,
             std::string_view where);

  [[noreturn]] void fail(const std::string& message) const;

  const Json* find(std::string_view name) const;  // null when it is absent or null
  const Json& field(std::string_view name) const;
  int integer(std::string_view name, int64_t low, int64_t high) const;
  double real(std::string_view name, double low, double high) const;
  bool boolean(std::string_view name, bool fallback) const;

  // An optional field that must, when there, hold this value: podium computes nothing else.
  void expect(std::string_view name, const Json& wanted) const;
  // Every key is in `known` (sorted), or its value is off: null, false, empty.
  void check_known(std::span<const std::string_view> known) const;

  static std::string shown(const Json& value);  // in errors: ASCII, cut to 80 bytes

 private:
  const Json& json_;
  std::string cure_, where_;
};

}  // namespace podium
