#include "podium/data/import_prices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "podium/data/import_values.h"

namespace podium::data {
namespace {

constexpr std::array<std::string_view, 6> kThousands = {
    " ", "\xC2\xA0", "\xE2\x80\x89", "\xE2\x80\xAF", "'", "\xE2\x80\x99"};

bool digit(std::string_view text, size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}
bool sign(char c) { return c == '.' || c == ','; }

// Length of a mark between thousands at `at`, with three digits after it; 0: there is none.
size_t thousands_mark(std::string_view text, size_t at) {
  for (const std::string_view mark : kThousands) {
    if (text.substr(at, mark.size()) != mark) continue;
    const size_t next = at + mark.size();
    return digit(text, next) && digit(text, next + 1) && digit(text, next + 2) &&
                   !digit(text, next + 3)
               ? mark.size()
               : 0;
  }
  return 0;
}

// The first number: digits, points and commas; `grouped` when other marks stood between thousands.
std::string first_number(std::string_view text, bool& grouped) {
  size_t at = std::min(text.find_first_of("0123456789"), text.size());
  const auto letter = [&](size_t i) { return (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z'; };
  if (at > 0 && sign(text[at - 1]) && (at < 2 || !letter(at - 2))) --at;  // ".99", but not "Rs.99"
  std::string number;
  size_t group = 0;  // digits since the last mark
  while (at < text.size()) {
    if (digit(text, at) || (sign(text[at]) && digit(text, at + 1))) {
      group = sign(text[at]) ? 0 : group + 1;
      number += text[at++];
      continue;
    }
    const bool whole = group > 0 && group <= 3 && number.find_first_of(".,") == std::string::npos;
    const size_t mark = whole ? thousands_mark(text, at) : 0;
    if (mark == 0) break;
    grouped = true;
    group = 0;
    at += mark;
  }
  return number;
}

// decimal: the sign before the decimals, at its last place; '\0': there are none.
float value_of(std::string_view number, char decimal) {
  const size_t point = decimal == '\0' ? std::string_view::npos : number.rfind(decimal);
  std::string plain;
  for (size_t i = 0; i < number.size(); ++i) {
    if (i == point) plain += '.';
    if (!sign(number[i])) plain += number[i];
  }
  float value = Price::kNone;
  return parse_float(plain, value) ? value : Price::kNone;
}

}  // namespace

Price read_price(std::string_view text) {
  Price price;
  if (text.find_first_of("eE") != std::string_view::npos && parse_float(text, price.value)) {
    return price;  // 1e-05
  }
  bool grouped = false;
  const std::string number = first_number(text, grouped);
  const size_t last = number.find_last_of(".,");
  if (last == std::string::npos) {
    price.value = value_of(number, '\0');
    return price;
  }
  const char here = number[last], other = here == '.' ? ',' : '.';
  const size_t decimals = number.size() - last - 1;
  const bool mixed = number.find(other) != std::string::npos;
  const bool several = std::count(number.begin(), number.end(), here) > 1;
  if (several && decimals > 2) {
    price.sign = mixed ? '\0' : other;
    price.value = value_of(number, '\0');
    return price;
  }
  price.sign = here;
  const bool open =
      decimals == 3 && !mixed && !grouped && last >= 1 && last <= 3 && number.front() != '0';
  price.value = value_of(number, open ? '\0' : here);
  if (open) price.as_decimal = value_of(number, here);
  return price;
}

Price PriceColumn::read(std::string_view text, bool number) {
  Price price = read_price(text);
  if (price.open() && number) price = {price.as_decimal, Price::kNone, '.'};
  if (price.open()) return price;
  points_ += price.sign == '.' ? 1 : 0;
  commas_ += price.sign == ',' ? 1 : 0;
  return price;
}

void PriceColumn::keep(std::string_view item, std::string_view text, const Price& price) {
  if (price.open()) {
    if (open_.empty()) first_open_ = text.substr(0, 100);
    open_.insert_or_assign(std::string(item), price);
  } else if (!open_.empty() && !std::isnan(price.value)) {
    const auto earlier = open_.find(item);
    if (earlier != open_.end()) open_.erase(earlier);
  }
}

std::string PriceColumn::finish(const std::function<void(std::string_view, float)>& use) const {
  if (open_.empty()) return "";
  const bool certain = (points_ > 0) != (commas_ > 0);
  const char decimal = !certain ? '\0' : points_ > 0 ? '.' : ',';
  for (const auto& [item, price] : open_) {
    use(item, price.sign == decimal ? price.as_decimal : price.value);
  }
  if (certain) return "";
  return fmt::format(
      "{} prices such as {} were read with thousands, as {:g}: no other price of the file tells "
      "which sign stands before decimals",
      open_.size(), first_open_, read_price(first_open_).value);
}

}  // namespace podium::data
