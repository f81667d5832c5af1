#include <algorithm>
#include <numeric>

#include "podium/base/error.h"
#include "podium/sid/codebook.h"

namespace podium::sid {
namespace {

// -1, 0, 1: the SID's first codes are less than, equal to or greater than the prefix.
int compare(std::span<const uint16_t> sid, std::span<const uint16_t> prefix) {
  for (size_t i = 0; i < prefix.size(); ++i) {
    if (sid[i] != prefix[i]) return sid[i] < prefix[i] ? -1 : 1;
  }
  return 0;
}

}  // namespace

SidTrie::SidTrie(const SidTable& table) : table_(&table), order_(table.items()) {
  std::iota(order_.begin(), order_.end(), 0U);
  std::stable_sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
    const auto x = table.of(a), y = table.of(b);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  });
}

std::span<const uint32_t> SidTrie::items_under(std::span<const uint16_t> prefix) const {
  PODIUM_CHECK(prefix.size() <= size_t(table_->levels));
  const auto first = std::partition_point(order_.begin(), order_.end(), [&](uint32_t item) {
    return compare(table_->of(item), prefix) < 0;
  });
  const auto last = std::partition_point(
      first, order_.end(), [&](uint32_t item) { return compare(table_->of(item), prefix) == 0; });
  return {order_.data() + (first - order_.begin()), size_t(last - first)};
}

std::vector<uint16_t> SidTrie::next_codes(std::span<const uint16_t> prefix) const {
  PODIUM_CHECK(prefix.size() < size_t(table_->levels));
  std::vector<uint16_t> codes;
  for (const uint32_t item : items_under(prefix)) {
    const uint16_t code = table_->of(item)[prefix.size()];
    if (codes.empty() || codes.back() != code) codes.push_back(code);
  }
  return codes;
}

}  // namespace podium::sid
