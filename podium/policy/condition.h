// Does a condition hold for an item? Three answers: what is unknown is neither yes nor no.
//
// unknown: the item or the request has no such field, or its value is of another kind than the test
// asks for (a text is not at least 3). Only present and missing are never unknown.
// A list holds `in` when one of its values is in the list, and `not_in` when none is. Over all
// tests of a condition: no where one says no, else unknown where one is unknown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "podium/policy/columns.h"
#include "podium/policy/rule_set.h"

namespace podium::policy {

enum class Truth : uint8_t { kNo, kUnknown, kYes };

// Condition and columns must outlive it.
class ConditionOn {
 public:
  ConditionOn(const Condition& condition, Columns& columns, const RulesContext& context);

  Truth of(size_t item) const;  // an item beyond the slate has no fields
  bool holds(size_t item) const { return of(item) == Truth::kYes; }

 private:
  struct Read {  // what one test looks at
    const FieldTest* test = nullptr;
    const Column* column = nullptr;             // null: of the request
    std::optional<FieldValue> of_request = {};  // the request's own value
    std::vector<Scalar> matches = {};  // what the request asks the item to match; empty: unknown
  };
  static Truth test(const Read& read, size_t item, int64_t now);

  std::vector<Read> reads_;
  int64_t now_;
};

}  // namespace podium::policy
