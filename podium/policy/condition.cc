#include "podium/policy/condition.h"

#include <algorithm>

namespace podium::policy {
namespace {

Truth truth(bool yes) { return yes ? Truth::kYes : Truth::kNo; }

// None where the two are of different kinds.
std::optional<bool> same(const FieldValue& value, const Scalar& wanted) {
  if (const auto* text = std::get_if<std::string>(&wanted)) {
    if (const auto* own = std::get_if<std::string>(&value)) return *own == *text;
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr) return std::nullopt;
    return std::find(list->begin(), list->end(), *text) != list->end();
  }
  if (const auto* flag = std::get_if<bool>(&wanted)) {
    const auto* own = std::get_if<bool>(&value);
    return own == nullptr ? std::nullopt : std::optional<bool>(*own == *flag);
  }
  const auto* own = std::get_if<double>(&value);
  return own == nullptr ? std::nullopt : std::optional<bool>(*own == std::get<double>(wanted));
}

// Is it one of them? Unknown where it can be compared with none.
Truth among(const FieldValue& value, const std::vector<Scalar>& list) {
  Truth found = Truth::kUnknown;
  for (const Scalar& wanted : list) {
    const std::optional<bool> equal = same(value, wanted);
    if (equal && *equal) return Truth::kYes;
    if (equal) found = Truth::kNo;
  }
  return found;
}

Truth opposite(Truth of) {
  if (of == Truth::kUnknown) return of;
  return truth(of == Truth::kNo);
}

Truth in_bounds(const FieldTest& test, const FieldValue& value, int64_t now) {
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) return Truth::kUnknown;
  const double age = double(now) - *number;
  return truth(!(test.at_least && *number < *test.at_least) &&
               !(test.at_most && *number > *test.at_most) &&
               !(test.older_than && age <= *test.older_than) &&
               !(test.newer_than && age >= *test.newer_than));
}

}  // namespace

ConditionOn::ConditionOn(const Condition& condition, Columns& columns, const RulesContext& context)
    : now_(context.now) {
  for (const FieldTest& test : condition) {
    Read read{&test};
    const auto own = context.request.find(test.field);
    if (!test.of_request) {
      read.column = &columns.of(test.field);
    } else if (own != context.request.end()) {
      read.of_request = own->second;
    }
    const auto wanted = context.request.find(test.matches_request);
    if (wanted != context.request.end()) read.matches.emplace_back(wanted->second);
    reads_.push_back(std::move(read));
  }
}

Truth ConditionOn::of(size_t item) const {
  Truth all = Truth::kYes;
  for (const Read& read : reads_) all = std::min(all, test(read, item, now_));
  return all;
}

Truth ConditionOn::test(const Read& read, size_t item, int64_t now) {
  const FieldTest& test = *read.test;
  static const std::optional<FieldValue> kAbsent;
  const auto& of_item =
      read.column != nullptr && item < read.column->size() ? (*read.column)[item] : kAbsent;
  const auto& value = read.column == nullptr ? read.of_request : of_item;
  if (test.present && value.has_value() != *test.present) return Truth::kNo;
  if (!value) return test.present ? Truth::kYes : Truth::kUnknown;

  Truth all = Truth::kYes;
  if (!test.in.empty()) all = std::min(all, among(*value, test.in));
  if (!test.not_in.empty()) all = std::min(all, opposite(among(*value, test.not_in)));
  if (test.at_least || test.at_most || test.older_than || test.newer_than) {
    all = std::min(all, in_bounds(test, *value, now));
  }
  if (!test.matches_request.empty()) all = std::min(all, among(*value, read.matches));
  return all;
}

}  // namespace podium::policy
