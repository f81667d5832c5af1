// Why an item may be shown: a claim that data can prove, and its sentence.
//
//   kind            says                                              fields beside the item
//   together        people who took another took it, too              other, count, date
//   count-category  so many items of the history are of its category  category, count
//   category        another is of the same category                   other, category, date
//   brand           another is of the same brand                      other, brand, date
//   words           its title and another's have these words          other, words, date
//   prefix          its semantic ID begins as another's does          other, count (codes), date
//   price           it costs what others do that were taken           price, low, high, count
//   taken           it is of the history itself                       count (times), date
//   popular         so many people took it, ever or since a day       count, date
//   new             it came after training                            date
//
// other: an item of the history; date: the last day that it was taken. Of taken the item's own; of
// new the day that it came out. People are those of the training log.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace podium::serving {

enum class ClaimKind : uint8_t {
  kTogether,
  kCountCategory,
  kCategory,
  kBrand,
  kWords,
  kPrefix,
  kPrice,
  kTaken,
  kPopular,
  kNew,
};
std::string_view claim_name(ClaimKind kind);  // "together", ...

using Day = int64_t;  // days since 1970-01-01, in UTC
Day day_of(int64_t seconds);
std::string day_text(Day day);  // "2024-02-29"

struct Claim {
  ClaimKind kind = ClaimKind::kTogether;
  std::string item = {}, other = {};
  size_t count = 0;
  std::string category = {}, brand = {};
  std::vector<std::string> words = {};
  std::optional<Day> date = {};
  float price = std::numeric_limits<float>::quiet_NaN(), low = price, high = price;
};

// The claim as a sentence by a fixed template. What comes from the catalogue stands in it between
// quotes, cut to a few words and without characters that are not seen (text/plain_text.h); it is
// text, and wherever it is shown it is escaped as such. title_of: of an id; empty where there is
// none, and the id is told.
std::string sentence(const Claim& claim,
                     const std::function<std::string(std::string_view id)>& title_of);

}  // namespace podium::serving
