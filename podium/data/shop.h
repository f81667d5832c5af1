// The catalogue of the simulated shop: what it sells, since when, and how much it is liked.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "podium/base/rng.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/simulate_options.h"

namespace podium::data {

inline constexpr double kYear = 365;  // days

// Items are numbered by category, then release. 32 bytes an item; text is made on request.
// Immutable and thread-safe.
class Shop {
 public:
  struct Item {
    uint32_t category;
    uint32_t brand;
    uint32_t style;
    float release;      // day, 0 = at the opening
    float price_level;  // logarithm of price over the category's typical one, in units of 0.6
    float appeal;       // logarithm, standard normal; popularity is its exponential
  };

  // Throws Error on options out of range.
  explicit Shop(const SimulateOptions& options);

  size_t size() const { return items_.size(); }
  const Item& item(uint32_t number) const { return items_[number]; }
  // The catalogue row; its id is "p" and the number.
  DatasetBuilder::Item describe(uint32_t number) const;

  // How wanted a category is on a day, logarithm: a cosine with one peak a year.
  double season(uint32_t category, double day) const {
    return season_[row(day) * categories_ + category];
  }
  bool same_department(uint32_t a, uint32_t b) const { return department_[a] == department_[b]; }

  // A category with items, by its share of the catalogue and the season.
  uint32_t draw_category(Rng& rng, double day) const;
  // An item of the category on sale on that day, by popularity; the category must have items.
  uint32_t draw(Rng& rng, uint32_t category, double day) const;
  // One of the category's latest releases, uniformly.
  uint32_t draw_new(Rng& rng, uint32_t category, double day) const;
  // Item number k < kCompanions of those bought along with `item`: another category of the
  // department (where it has one) or the same; nothing if not on sale yet.
  std::optional<uint32_t> companion(uint32_t item, uint32_t k, double day) const;

  static constexpr uint32_t kCompanions = 3;

 private:
  void make_departments();
  void make_items(const SimulateOptions& options);
  void make_seasons(int days);
  size_t row(double day) const { return std::min(size_t(day), season_.size() / categories_ - 1); }
  uint32_t on_sale(uint32_t category, double day) const;  // items released by that day

  Rng rng_;
  size_t categories_;
  std::vector<uint32_t> department_;  // [categories] first category of its department
  std::vector<uint32_t> siblings_;    // [categories] number of categories in its department
  std::vector<Item> items_;           // [items]
  std::vector<double> mass_;          // [items] popularity summed over the category up to the item
  std::vector<uint32_t> begin_;       // [categories + 1] first item number
  std::vector<double> season_;        // [days, categories]
  std::vector<double> demand_;        // [days, categories] size x season, summed over categories
};

}  // namespace podium::data
