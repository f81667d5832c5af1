#include "podium/data/shop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "podium/base/error.h"
#include "podium/data/shop_words.h"

namespace podium::data {
namespace {

constexpr double kAtOpening = 0.6;     // share of the catalogue that is there on the first day
constexpr uint32_t kNewest = 20;       // releases of a category that count as new
constexpr uint32_t kMaxBrands = 1500;  // a department

void check(bool ok, const char* what, const char* cure) {
  if (!ok) throw Error(what, cure);
}

void check_options(const SimulateOptions& o) {
  check(o.users >= 1 && o.users <= 1'000'000'000, "users is out of range", "use 1 to 10^9");
  check(o.items >= 1 && o.items <= 1'000'000'000, "items is out of range", "use 1 to 10^9");
  check(o.days >= 1 && o.days <= 36500, "days is out of range", "use 1 to 36500");
  check(o.slate_size >= 1 && o.slate_size <= 100, "slate_size is out of range", "use 1 to 100");
  check(o.sessions_per_month > 0 && o.sessions_per_month <= 3000,
        "sessions_per_month is out of range", "use more than 0 and at most 3000");
  check(o.position_bias >= 0 && o.position_bias <= 10, "position_bias is out of range",
        "use 0 to 10");
  check(o.drift >= 0 && o.drift <= 1000, "drift is out of range", "use 0 to 1000");
}

// Brands sell in one department; small numbers more there, in an order of each category's own.
uint32_t draw_brand(Rng& rng, uint32_t category, uint32_t department, uint32_t brands) {
  const double u = rng.uniform();
  const auto rank = uint32_t(u * u * brands);
  return department * kMaxBrands + (rank + category * 7) % brands;
}

float draw_release(Rng& rng, int days) {
  const double there = rng.uniform(), day = rng.uniform();
  return there < kAtOpening ? 0.0F : float(day * 0.95 * days);
}

}  // namespace

Shop::Shop(const SimulateOptions& options)
    : rng_(Rng(uint64_t(options.seed)).fork("shop")), categories_(shop_categories().size()) {
  check_options(options);
  make_departments();
  make_items(options);
  make_seasons(options.days);
}

void Shop::make_departments() {
  const auto all = shop_categories();
  siblings_.resize(categories_);
  for (uint32_t c = 0; c < categories_; ++c) {
    const bool first = c == 0 || all[c - 1].department != all[c].department;
    department_.push_back(first ? c : department_[c - 1]);
    ++siblings_[department_[c]];
  }
  for (uint32_t c = 0; c < categories_; ++c) siblings_[c] = siblings_[department_[c]];
}

void Shop::make_items(const SimulateOptions& options) {
  const auto styles = uint32_t(shop_styles().size());
  const uint32_t brands = uint32_t(std::clamp<int64_t>(options.items / 100, 4, kMaxBrands));
  Rng rng = rng_.fork("items");
  std::vector<double> share(categories_);
  double total = 0;
  for (double& s : share) s = total += std::exp(0.5 * rng.normal());
  items_.resize(size_t(options.items));
  for (Item& item : items_) {
    const auto place = std::upper_bound(share.begin(), share.end(), rng.uniform() * total);
    item.category = uint32_t(std::min<size_t>(size_t(place - share.begin()), categories_ - 1));
    item.brand = draw_brand(rng, item.category, department_[item.category], brands);
    Rng brand = rng_.fork("brands").fork(item.brand);
    const double premium = brand.normal();
    item.style = uint32_t(rng.uniform() < 0.6 ? brand.below(styles) : rng.below(styles));
    item.price_level = float(0.5 * premium + 0.85 * rng.normal());
    item.appeal = float(rng.normal());
    item.release = draw_release(rng, options.days);
  }
  std::stable_sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
    return a.category != b.category ? a.category < b.category : a.release < b.release;
  });
  begin_.assign(categories_ + 1, 0);
  for (const Item& item : items_) ++begin_[item.category + 1];
  for (size_t c = 0; c < categories_; ++c) begin_[c + 1] += begin_[c];
  mass_.resize(items_.size());
  for (uint32_t i = 0; i < items_.size(); ++i) {
    const bool first = i == begin_[items_[i].category];
    if (first) items_[i].release = 0;  // no category starts empty
    mass_[i] = (first ? 0 : mass_[i - 1]) + std::exp(double(items_[i].appeal));
  }
}

void Shop::make_seasons(int days) {
  Rng rng = rng_.fork("seasons");
  std::vector<double> peak(categories_), amplitude(categories_);
  for (size_t c = 0; c < categories_; ++c) {
    peak[c] = kYear * rng.uniform();
    amplitude[c] = 0.1 + 0.7 * rng.uniform();
  }
  for (int day = 0; day < days; ++day) {
    double total = 0;
    for (size_t c = 0; c < categories_; ++c) {
      const double angle = 2 * std::numbers::pi * (day - peak[c]) / kYear;
      season_.push_back(amplitude[c] * std::cos(angle));
      demand_.push_back(total += (begin_[c + 1] - begin_[c]) * std::exp(season_.back()));
    }
  }
}

uint32_t Shop::draw_category(Rng& rng, double day) const {
  const auto begin = demand_.begin() + std::ptrdiff_t(row(day) * categories_);
  const auto end = begin + std::ptrdiff_t(categories_);
  const auto place = std::upper_bound(begin, end, rng.uniform() * *(end - 1));
  return uint32_t(std::min(place, end - 1) - begin);
}

uint32_t Shop::on_sale(uint32_t category, double day) const {
  const auto begin = items_.begin() + begin_[category], end = items_.begin() + begin_[category + 1];
  const auto later = std::upper_bound(begin, end, day,
                                      [](double d, const Item& item) { return d < item.release; });
  return uint32_t(later - begin);
}

uint32_t Shop::draw(Rng& rng, uint32_t category, double day) const {
  const auto begin = mass_.begin() + begin_[category], end = begin + on_sale(category, day);
  PODIUM_CHECK(begin < end);
  const auto place = std::upper_bound(begin, end, rng.uniform() * *(end - 1));
  return begin_[category] + uint32_t(std::min(place, end - 1) - begin);
}

uint32_t Shop::draw_new(Rng& rng, uint32_t category, double day) const {
  const uint32_t count = on_sale(category, day);
  PODIUM_CHECK(count > 0);
  return begin_[category] + count - 1 - uint32_t(rng.below(std::min(count, kNewest)));
}

std::optional<uint32_t> Shop::companion(uint32_t item, uint32_t k, double day) const {
  const uint32_t category = items_[item].category;
  const uint32_t first = department_[category];
  Rng rng = rng_.fork("companions").fork(uint64_t(item) * kCompanions + k);
  const uint32_t other = first + (category - first + 1 + k % 2) % siblings_[category];
  const uint32_t size = begin_[other + 1] - begin_[other];
  if (size == 0) return std::nullopt;
  const uint32_t found = begin_[other] + uint32_t(rng.below(size));
  if (found == item || items_[found].release > day) return std::nullopt;
  return found;
}

DatasetBuilder::Item Shop::describe(uint32_t number) const {
  const Item& item = items_[number];
  const ShopCategory& category = shop_categories()[item.category];
  Rng rng = rng_.fork("texts").fork(number);
  const std::string brand = shop_brand(item.brand);
  const std::string_view style = shop_styles()[item.style];
  const std::string_view noun = category.nouns[rng.below(category.nouns.size())];
  const std::string_view colour = shop_colours()[rng.below(shop_colours().size())];
  const std::string_view detail = shop_details()[rng.below(shop_details().size())];
  DatasetBuilder::Item row;
  row.id = fmt::format("p{}", number);
  row.title = fmt::format("{} {} {} {} No. {}", brand, style, colour, noun, 1 + rng.below(999));
  row.brand = brand;
  row.description =
      fmt::format("{} {} in the {} style by {}. {}", colour, noun, style, brand, detail);
  row.categories = {std::string(category.department), std::string(category.group)};
  if (!category.leaf.empty()) row.categories.emplace_back(category.leaf);
  row.price = float(std::floor(category.price * std::exp(0.6 * item.price_level)) + 0.99);
  return row;
}

}  // namespace podium::data
