// Any bytes as a file of rules become rules or an Error; what they do to a slate is a part of it
// without repeats, the same each time, and keeps caps and filters.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "podium/base/error.h"
#include "podium/policy/apply.h"
#include "podium/policy/columns.h"

namespace {

using namespace podium;
using namespace podium::policy;

constexpr size_t kItems = 12;
constexpr const char* kIds[kItems] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};

// Every field has its value for some items, another kind of value or none for others.
class Fields : public ItemFields {
 public:
  std::optional<FieldValue> field(size_t index, std::string_view name) const override {
    const size_t kind = (index + name.size()) % 6;
    if (kind == 0) return std::nullopt;
    if (kind == 1) return FieldValue(index % 2 == 0);
    if (kind == 2) return FieldValue(std::string(index % 3, 'x') + " y");
    if (kind == 3) return FieldValue(std::vector<std::string>{"x", "y", "x"});
    if (kind == 4) return FieldValue(double(index) * 1e300);
    return FieldValue(double(index));
  }
};

void check_caps(const RuleSet& set, const ItemFields& fields, const Outcome& outcome) {
  Columns columns(fields, kItems);
  for (const Cap& cap : set.caps) {
    std::map<uint32_t, int> counts;
    const size_t first = std::min(outcome.placed.size(), size_t(cap.first));
    for (size_t i = 0; i < first; ++i) {
      for (const uint32_t value : columns.numbered(cap.field).values[outcome.placed[i].index]) {
        PODIUM_CHECK(++counts[value] <= cap.at_most);
      }
    }
  }
}

void check(std::string_view text) {
  const Rules rules = Rules::parse(text, "rules.toml");
  rules.describe().dump(-1, ' ', false, Json::error_handler_t::replace);
  if (rules.set().explore && rules.set().explore->draws > 100) return;  // slow, and nothing new
  std::vector<RankedItem> items;
  for (size_t i = 0; i < kItems; ++i) items.push_back({kIds[i], -double(i / 2)});
  const std::vector<BetaCounts> counts(kItems, {0.5, 3});
  const std::vector<double> features(kItems, 2);
  const std::vector<RidgeState> states = {{{2}, {1}}};
  RulesContext context;
  context.now = 1'000'000;
  context.request = {{"x", "y"}};
  context.seen = {"c"};
  context.counts = counts;
  context.linear = {1, features, states};
  const Fields fields;
  for (context.k = 0; context.k <= kItems; context.k += 4) {
    const Outcome outcome = apply(rules, items, fields, context);
    std::set<size_t> told;
    for (const PlacedItem& item : outcome.placed) {
      PODIUM_CHECK(item.index < kItems && told.insert(item.index).second);
      PODIUM_CHECK(item.propensity > 0 && item.propensity < 1 + 1e-9);
    }
    for (const RemovedItem& item : outcome.removed) PODIUM_CHECK(told.insert(item.index).second);
    PODIUM_CHECK(outcome.placed.size() <= context.k);
    check_caps(rules.set(), fields, outcome);
    const Outcome again = apply(rules, items, fields, context);
    PODIUM_CHECK(std::equal(outcome.placed.begin(), outcome.placed.end(), again.placed.begin(),
                            again.placed.end(), [](const PlacedItem& a, const PlacedItem& b) {
                              return a.index == b.index && a.propensity == b.propensity;
                            }));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    check({reinterpret_cast<const char*>(data), size});
  } catch (const Error& e) {
    PODIUM_CHECK(e.where().rfind("rules.toml:", 0) == 0);
  }
  return 0;
}
