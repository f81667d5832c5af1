#include "podium/policy/alike.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "podium/policy/diversify.h"
#include "podium/policy/min_hash.h"

namespace podium::policy {
namespace {

std::optional<MinHash> signature(const std::optional<FieldValue>& value, int words) {
  const auto* text = value ? std::get_if<std::string>(&*value) : nullptr;
  return text == nullptr ? std::nullopt : min_hash(shingles(*text, words));
}

// Row i of the facts is order[i]; every value of every field is a category.
data::ItemFacts facts_by_fields(const std::vector<std::string>& fields, std::span<const int> order,
                                Columns& columns) {
  data::ItemFacts facts;
  facts.categories.resize(order.size());
  uint32_t first = 0;  // numbers of the fields before
  for (const std::string& field : fields) {
    const NumberedColumn& column = columns.numbered(field);
    for (size_t i = 0; i < order.size(); ++i) {
      for (const uint32_t value : column.values[size_t(order[i])]) {
        facts.categories[i].push_back(first + value);
      }
    }
    first += uint32_t(column.names.size());
  }
  return facts;
}

// Unit rows of one length, that of the first vector there is; zeros for who has no such vector.
std::vector<float> unit_rows(const ItemFields& fields, std::span<const int> order, size_t& dim) {
  std::vector<float> rows;
  for (const int item : order) {
    if (dim == 0) dim = fields.vector(size_t(item)).size();
  }
  for (const int item : order) {
    const auto vector = fields.vector(size_t(item));
    double square = 0;
    if (vector.size() == dim) {
      square = std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0);
    }
    const bool sound = square > 0 && std::isfinite(square);
    for (size_t d = 0; d < dim; ++d) {
      rows.push_back(sound ? float(double(vector[d]) / std::sqrt(square)) : 0.F);
    }
  }
  return rows;
}

}  // namespace

std::vector<Duplicate> near_duplicates(const Duplicates& rule, std::span<const int> order,
                                       const Column& column) {
  std::vector<std::pair<int, MinHash>> kept;
  std::vector<Duplicate> found;
  for (const int item : order) {
    const auto own = signature(column[size_t(item)], rule.words);
    if (!own) continue;
    const auto like = std::find_if(kept.begin(), kept.end(), [&](const auto& one) {
      return alike(one.second, *own, rule.threshold);
    });
    if (like == kept.end()) {
      kept.emplace_back(item, *own);
    } else {
      found.push_back({item, like->first});
    }
  }
  return found;
}

bool diversify(const Diversity& rule, std::span<int> order, std::span<const double> scores,
               Columns& columns, const ItemFields& fields) {
  const auto head = order.first(std::min(order.size(), size_t(rule.first)));
  if (head.size() < 2) return true;
  auto facts = facts_by_fields(rule.fields, head, columns);
  std::vector<float> rows;
  if (rule.fields.empty()) {
    rows = unit_rows(fields, head, facts.dim);
    facts.vectors = rows;
  }
  const bool nothing = std::all_of(facts.categories.begin(), facts.categories.end(),
                                   [](const auto& values) { return values.empty(); });
  if (nothing && rows.empty()) return false;
  std::vector<data::ItemIndex> items(head.size());
  std::iota(items.begin(), items.end(), data::ItemIndex{0});
  std::vector<float> relevance;
  for (const int item : head) relevance.push_back(float(scores[size_t(item)]));
  const auto by = rule.method == Diversity::Method::kMmr ? mmr_order : dpp_order;
  const std::vector<int> before(head.begin(), head.end());
  size_t place = 0;
  for (const int at : by(facts, items, relevance, rule.trade)) head[place++] = before[size_t(at)];
  return true;
}

}  // namespace podium::policy
