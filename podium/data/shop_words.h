// The words of the simulated shop.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace podium::data {

struct ShopCategory {
  std::string_view department, group, leaf;  // leaf: empty where there are two levels
  double price;                              // median, dollars
  std::array<std::string_view, 4> nouns;
};

std::span<const ShopCategory> shop_categories();  // by department
std::span<const std::string_view> shop_styles();
std::span<const std::string_view> shop_colours();
std::span<const std::string_view> shop_details();

// A pronounceable name; different for every number under 64,000.
std::string shop_brand(uint32_t number);

}  // namespace podium::data
