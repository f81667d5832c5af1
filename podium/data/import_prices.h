// Prices as shops write them: "$1,299.00", "12,50 €", "1 299,00", "1'299.00", "USD 12.50".
//
// The price is the first number beside a sign or code of a currency, else the first of the text, so
// of a range the lower end. 99¢ is 0.99. Unknown are negative prices ("-$3.50", "(12.50)"), texts
// with "<", "{" or "}" (HTML, CSS), "1k", "2M", and what is over 1e30. Between thousands stand
// blanks (U+00A0, U+2009 and U+202F too), apostrophes, points or commas.
//   last point or comma, then                          it is
//   1 or 2 digits                                      the decimal sign
//   3 digits, with the other sign before it            the decimal sign
//   3 digits, with the same sign before it             between thousands
//   3 digits, after 1 to 3 digits that no 0 starts     open: see below
//   anything else                                      the decimal sign
// An open price, 1.299 or 1,299, is read with thousands, unless other prices of the column show for
// certain that its sign is the decimal one.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace podium::data {

struct Price {
  static constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  float value = kNone;       // of an open price with thousands; NaN when there is no number
  float as_decimal = kNone;  // of an open price when its sign is the decimal one; else NaN
  char sign = '\0';  // the decimal sign for certain, '.' or ','; of an open price the one in it
  bool negative = false;  // and so unknown
  bool open() const { return !std::isnan(as_decimal); }
};
Price read_price(std::string_view text);

// The prices of one file. Not thread-safe. Memory: the ids of items with an open price.
class PriceColumn {
 public:
  // The next price. number: JSON's, with '.' for the decimal sign. Until finish() an open one is
  // NaN for its item.
  Price read(std::string_view text, bool number);
  // After the row came in: whose price it is.
  void keep(std::string_view item, std::string_view text, const Price& price);

  // After the last row: use(item, price) for each open price. Returns what the user should know.
  std::vector<std::string> finish(const std::function<void(std::string_view, float)>& use) const;

 private:
  std::map<std::string, Price, std::less<>> open_;  // by item
  std::string first_open_, first_negative_;
  uint64_t negative_ = 0;
  uint64_t points_ = 0, commas_ = 0;  // prices with this decimal sign for certain
};

}  // namespace podium::data
