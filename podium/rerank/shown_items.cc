#include "podium/rerank/shown_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "podium/rerank/trace_text.h"

namespace podium::rerank {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void add_items(const data::Dataset& dataset, std::span<const ItemIndex> items, ShownItems& shown) {
  std::map<std::string, int> counts;
  for (const ItemIndex item : items) {
    std::set<std::string> groups;
    for (const std::string_view category : dataset.categories(item)) {
      groups.insert(quotable(category));
    }
    if (!dataset.brand(item).empty()) groups.insert(quotable(dataset.brand(item)));
    for (const std::string& group : groups) {
      ++counts[group];
      shown.text += group + "\n";
    }
    shown.text += quotable(dataset.title(item)) + "\n" + price_text(dataset, item) + "\n";
  }
  shown.numbers.insert(double(items.size()));
  for (const auto& [group, count] : counts) shown.numbers.insert(count);
}

}  // namespace

std::span<const ItemIndex> shown_history(const PromptContext& context, const Slate& slate) {
  const auto most = size_t(std::max(0, context.options.max_history));
  return std::span(slate.history).last(std::min(most, slate.history.size()));
}

std::string price_text(const data::Dataset& dataset, ItemIndex item) {
  const float price = dataset.price(item);
  return std::isnan(price) ? "" : fmt::format("{:.2f}", price);
}

std::vector<double> numbers_in(std::string_view text) {
  std::vector<double> numbers;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!is_digit(text[i])) continue;
    size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
      for (++end; end < text.size() && is_digit(text[end]);) ++end;
    }
    numbers.push_back(std::strtod(std::string(text.substr(i, end - i)).c_str(), nullptr));
    i = end;
  }
  return numbers;
}

ShownItems shown_items(const PromptContext& context, const Slate& slate) {
  ShownItems shown;
  std::vector<ItemIndex> candidates;
  for (const SlateCandidate& candidate : slate.candidates) candidates.push_back(candidate.item);
  shown.numbers.insert(double(candidates.size()));
  if (context.dataset == nullptr) return shown;
  add_items(*context.dataset, shown_history(context, slate), shown);
  add_items(*context.dataset, candidates, shown);
  for (const double number : numbers_in(shown.text)) shown.numbers.insert(number);
  return shown;
}

}  // namespace podium::rerank
