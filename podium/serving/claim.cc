#include "podium/serving/claim.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "podium/text/plain_text.h"

namespace podium::serving {
namespace {

constexpr size_t kMostShown = 80;  // characters of a title

std::string in_quotes(std::string_view text) {
  return fmt::format("“{}”", text::quotable_text(text, kMostShown));
}

// "1 person", "3 people".
std::string counted(size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string words_text(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += in_quotes(words[i]);
  }
  return text;
}

std::string dated(std::string_view before, const std::optional<Day>& date) {
  return date ? fmt::format("{}{}", before, day_text(*date)) : "";
}

// What follows "You took X".
std::string beside_other(const Claim& claim) {
  switch (claim.kind) {
    case ClaimKind::kTogether:
      return fmt::format("{} who took it took this, too", counted(claim.count, "person", "people"));
    case ClaimKind::kCategory:
      return fmt::format("this is of the same category, {}", in_quotes(claim.category));
    case ClaimKind::kBrand:
      return fmt::format("this is of the same brand, {}", in_quotes(claim.brand));
    case ClaimKind::kWords:
      return fmt::format("both titles have {}", words_text(claim.words));
    default:
      return fmt::format("the catalogue's map has this near it: their first {} the same",
                         counted(claim.count, "code is", "codes are"));
  }
}

}  // namespace

std::string_view claim_name(ClaimKind kind) {
  constexpr std::array<std::string_view, 10> kNames = {
      "together", "count-category", "category", "brand",   "words",
      "prefix",   "price",          "taken",    "popular", "new"};
  return kNames.at(size_t(kind));
}

Day day_of(int64_t seconds) {
  return std::chrono::floor<std::chrono::days>(std::chrono::seconds(seconds)).count();
}

std::string day_text(Day day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return fmt::format("{:04}-{:02}-{:02}", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()));
}

std::string sentence(const Claim& claim,
                     const std::function<std::string(std::string_view id)>& title_of) {
  switch (claim.kind) {
    case ClaimKind::kCountCategory:
      return fmt::format("{} that you took {} of the category {}, as this is.",
                         counted(claim.count, "item", "items"), claim.count == 1 ? "is" : "are",
                         in_quotes(claim.category));
    case ClaimKind::kPrice:
      return fmt::format("It costs {:.2f}; what you took costs {:.2f} to {:.2f}.", claim.price,
                         claim.low, claim.high);
    case ClaimKind::kTaken:
      return fmt::format("You took it {}{}.", counted(claim.count, "time", "times"),
                         dated(", the last on ", claim.date));
    case ClaimKind::kPopular:
      return fmt::format("{} took it{}.", counted(claim.count, "person", "people"),
                         dated(" since ", claim.date));
    case ClaimKind::kNew:
      return fmt::format("It is new{}.", dated(": it came out on ", claim.date));
    default:
      const std::string title = title_of(claim.other);
      return fmt::format("You took {}{}; {}.", in_quotes(title.empty() ? claim.other : title),
                         dated(" on ", claim.date), beside_other(claim));
  }
}

}  // namespace podium::serving
