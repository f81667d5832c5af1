// Slates of tests: a few fields of a few items, held in maps.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "podium/policy/slate.h"

namespace podium::policy {

inline constexpr int64_t kNow = 1'000'000'000;  // unix seconds
inline constexpr double kDay = 86'400;

// To be moved, not copied: the items' ids are views into it.
class TestSlate : public ItemFields {
 public:
  using Fields = std::map<std::string, FieldValue, std::less<>>;

  // The next item, worse than those before.
  TestSlate& add(const std::string& id, Fields fields = {}) {
    return add(id, -double(items_.size()), std::move(fields));
  }
  TestSlate& add(const std::string& id, double score, Fields fields) {
    ids_.push_back(id);
    items_.push_back({ids_.back(), score});
    fields_.push_back(std::move(fields));
    return *this;
  }

  const std::vector<RankedItem>& items() const { return items_; }
  std::optional<FieldValue> field(size_t index, std::string_view name) const override {
    const auto found = fields_[index].find(name);
    if (found == fields_[index].end()) return std::nullopt;
    return found->second;
  }

 private:
  std::deque<std::string> ids_;  // backs the views of items_
  std::vector<RankedItem> items_;
  std::vector<Fields> fields_;
};

inline FieldValue text(const char* value) { return std::string(value); }
inline FieldValue texts(std::vector<std::string> values) { return values; }

}  // namespace podium::policy
