// The fields of a slate's items, read once each.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "podium/policy/slate.h"

namespace podium::policy {

using Column = std::vector<std::optional<FieldValue>>;  // [items]; what is no finite number: none

// Every distinct value of a field as a number; a list has one of each of its values.
struct NumberedColumn {
  std::vector<std::vector<uint32_t>> values;  // [items] distinct, ascending; empty: unknown
  std::vector<std::string> names;             // of the numbers, as text
};

// References stay valid as long as the columns. Not thread-safe.
class Columns {
 public:
  Columns(const ItemFields& fields, size_t items) : fields_(fields), items_(items) {}

  size_t items() const { return items_; }
  const Column& of(const std::string& field);
  const NumberedColumn& numbered(const std::string& field);

 private:
  const ItemFields& fields_;
  size_t items_;
  std::map<std::string, Column, std::less<>> columns_;
  std::map<std::string, NumberedColumn, std::less<>> numbered_;
};

// None for what is no number.
std::optional<double> number_of(const std::optional<FieldValue>& value);

// values scaled to 0 (their least) .. 1; none stays none. All 0 where they do not differ.
std::vector<std::optional<double>> scaled_known(const std::vector<std::optional<double>>& values);

// Mean of what is known; 0 where nothing is.
double known_mean(const std::vector<std::optional<double>>& values);

}  // namespace podium::policy
