#include "podium/data/import_prices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "podium/data/import_values.h"

namespace podium::data {
namespace {

constexpr std::array<std::string_view, 6> kThousands = {
    " ", "\xC2\xA0", "\xE2\x80\x89", "\xE2\x80\xAF", "'", "\xE2\x80\x99"};

constexpr std::array<std::string_view, 13> kCurrencySigns = {
    "$",
    "\xE2\x82\xAC",
    "\xC2\xA3",
    "\xC2\xA5",
    "\xE2\x82\xB9",
    "\xE2\x82\xBD",
    "\xE2\x82\xA9",
    "\xE2\x82\xBA",
    "\xE2\x82\xB4",
    "\xE2\x82\xAB",
    "\xE0\xB8\xBF",
    "\xE2\x82\xAA",
    "z\xC5\x82"};  // $ € £ ¥ ₹ ₽ ₩ ₺ ₴ ₫ ฿ ₪ zł
constexpr size_t kPriceShown = 100;
constexpr std::string_view kCent = "\xC2\xA2";
constexpr std::array<std::string_view, 35> kCurrencyCodes = {
    "USD", "EUR", "GBP", "JPY", "CNY", "RMB", "INR", "RUB", "BRL", "CAD", "AUD", "CHF",
    "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "TRY", "KRW", "MXN", "ZAR", "SGD", "HKD",
    "NZD", "THB", "IDR", "MYR", "PHP", "VND", "UAH", "ILS", "RS.", "RS",  "KR"};

bool digit(std::string_view text, size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}
bool sign(char c) { return c == '.' || c == ','; }
bool ascii_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

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

struct Number {
  std::string text;      // digits, points and commas
  bool grouped = false;  // other marks stood between thousands
  size_t begin = 0, end = 0;
};

// The next number from `at` on; its text is empty when there is none.
Number next_number(std::string_view text, size_t at) {
  at = std::min(text.find_first_of("0123456789", at), text.size());
  if (at > 0 && sign(text[at - 1]) && (at < 2 || !ascii_letter(text[at - 2]))) --at;  // ".99"
  Number number;
  number.begin = at;
  size_t group = 0;  // digits since the last mark
  while (at < text.size()) {
    if (digit(text, at) || (sign(text[at]) && digit(text, at + 1))) {
      group = sign(text[at]) ? 0 : group + 1;
      number.text += text[at++];
      continue;
    }
    const bool whole =
        group > 0 && group <= 3 && number.text.find_first_of(".,") == std::string::npos;
    const size_t mark = whole ? thousands_mark(text, at) : 0;
    if (mark == 0) break;
    number.grouped = true;
    group = 0;
    at += mark;
  }
  number.end = at;
  return number;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kHard = "\xC2\xA0";
  for (text = trimmed(text); text.starts_with(kHard) || text.ends_with(kHard);) {
    if (text.starts_with(kHard)) text.remove_prefix(kHard.size());
    if (text.ends_with(kHard)) text.remove_suffix(kHard.size());
    text = trimmed(text);
  }
  return text;
}

bool same_letters(std::string_view text, std::string_view capitals) {
  return text.size() == capitals.size() &&
         std::equal(text.begin(), text.end(), capitals.begin(), [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
         });
}

// Length of the currency's sign or code at the text's end or start; 0: there is none.
size_t currency(std::string_view text, bool at_end) {
  for (const std::string_view mark : kCurrencySigns) {
    if (at_end ? text.ends_with(mark) : text.starts_with(mark)) return mark.size();
  }
  for (const std::string_view code : kCurrencyCodes) {
    if (text.size() < code.size()) continue;
    const size_t begin = at_end ? text.size() - code.size() : 0;
    if (!same_letters(text.substr(begin, code.size()), code)) continue;
    const size_t next = at_end ? begin - 1 : code.size();  // over the size before the start
    if (next >= text.size() || !ascii_letter(text[next])) return code.size();
  }
  return 0;
}

std::string_view without_currency(std::string_view text, bool at_end) {
  text = without_blanks(text);
  const size_t length = currency(text, at_end);
  at_end ? text.remove_suffix(length) : text.remove_prefix(length);
  return without_blanks(text);
}

// The number beside a currency, one without a blank between them before others; else the first.
Number price_number(std::string_view text) {
  const Number first = next_number(text, 0);
  if (first.end == text.size() || next_number(text, first.end).text.empty()) return first;
  for (const bool blanks_between : {false, true}) {
    for (Number n = first; !n.text.empty(); n = next_number(text, n.end)) {
      std::string_view before = text.substr(0, n.begin), after = text.substr(n.end);
      if (blanks_between) before = without_blanks(before), after = without_blanks(after);
      if (currency(before, true) > 0 || currency(after, false) > 0) return n;
    }
  }
  return first;
}

// "-5", "-$5", "$-5", "(5)", "($5)"; but not "sale - $5".
bool negative(std::string_view before, std::string_view after) {
  before = without_currency(before, true);
  if (before == "(") return without_currency(after, false).starts_with(')');
  for (const std::string_view minus : {"-", "\xE2\x88\x92", "(-"}) {
    if (!before.ends_with(minus)) continue;
    before.remove_suffix(minus.size());
    return without_currency(before, true).empty();
  }
  return false;
}

// "1k", "2M": thousands and millions of what?
bool shortened(std::string_view after) {
  return !after.empty() &&
         (after[0] == 'k' || after[0] == 'K' || after[0] == 'm' || after[0] == 'M') &&
         (after.size() == 1 || !ascii_letter(after[1]));
}

// A number with an exponent, such as JSON's 1e-05; false when the text is none.
bool exponent_number(std::string_view text, Price& price) {
  double value = 0;
  text = trimmed(text);
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || code == std::errc::invalid_argument) return false;
  if (!parse_float(text, price.value)) return true;
  price.negative = price.value < 0;
  if (price.negative) price.value = Price::kNone;
  return true;
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

Price price_of(const Number& found) {
  Price price;
  const std::string& number = found.text;
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
      decimals == 3 && !mixed && !found.grouped && last >= 1 && last <= 3 && number.front() != '0';
  price.value = value_of(number, open ? '\0' : here);
  if (open) price.as_decimal = value_of(number, here);
  return price;
}

}  // namespace

Price read_price(std::string_view text) {
  Price price;
  if (text.find_first_of("<{}") != std::string_view::npos) return price;
  if (text.find_first_of("eE") != std::string_view::npos && exponent_number(text, price)) {
    return price;
  }
  const Number found = price_number(text);
  const std::string_view after = text.substr(found.end);
  if (found.text.empty() || shortened(after)) return price;
  price.negative = negative(text.substr(0, found.begin), after);
  if (price.negative) return price;
  price = price_of(found);
  const bool cents = without_blanks(after).starts_with(kCent);
  if (cents && !price.open()) price.value /= 100;
  return price;
}

Price PriceColumn::read(std::string_view text, bool number) {
  Price price = read_price(text);
  if (price.open() && number) price = {price.as_decimal, Price::kNone, '.', false};
  if (price.negative && negative_++ == 0) first_negative_ = text.substr(0, kPriceShown);
  if (price.open()) return price;
  points_ += price.sign == '.' ? 1 : 0;
  commas_ += price.sign == ',' ? 1 : 0;
  return price;
}

void PriceColumn::keep(std::string_view item, std::string_view text, const Price& price) {
  if (price.open()) {
    if (open_.empty()) first_open_ = text.substr(0, kPriceShown);
    open_.insert_or_assign(std::string(item), price);
  } else if (!open_.empty() && !std::isnan(price.value)) {
    const auto earlier = open_.find(item);
    if (earlier != open_.end()) open_.erase(earlier);
  }
}

std::vector<std::string> PriceColumn::finish(
    const std::function<void(std::string_view, float)>& use) const {
  std::vector<std::string> notes;
  if (negative_ > 0) {
    notes.push_back(fmt::format("{} prices are negative, such as {}, and were read as unknown",
                                negative_, first_negative_));
  }
  const bool certain = (points_ > 0) != (commas_ > 0);
  const char decimal = !certain ? '\0' : points_ > 0 ? '.' : ',';
  for (const auto& [item, price] : open_) {
    use(item, price.sign == decimal ? price.as_decimal : price.value);
  }
  if (!certain && !open_.empty()) {
    notes.push_back(fmt::format(
        "{} prices such as {} were read with thousands, as {:g}: no other price of the file tells "
        "which sign stands before decimals",
        open_.size(), first_open_, read_price(first_open_).value));
  }
  return notes;
}

}  // namespace podium::data
