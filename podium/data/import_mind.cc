#include "podium/data/import_mind.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <vector>

#include "podium/base/error.h"
#include "podium/data/word_split.h"

namespace podium::data {
namespace {

// "11/12/2019 2:14:46 PM" as UTC seconds.
std::optional<int64_t> mind_time(std::string_view text) {
  const std::string copy(text);
  std::tm moment{};
  const char* end = strptime(copy.c_str(), "%m/%d/%Y %I:%M:%S %p", &moment);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<int64_t>(timegm(&moment));
}

bool labelled(std::string_view shown) { return shown.ends_with("-0") || shown.ends_with("-1"); }

}  // namespace

bool holds_impressions(std::string_view line) {
  const auto cells = split_at(line, '\t');
  return cells.size() == 5 && mind_time(cells[2]);
}

void MindReader::behaviors(Lines& lines) {
  std::string_view line;
  while (lines.next(line)) {
    if (lines.overlong()) {
      sink_.reject(lines, kOverlongLine, line);
    } else if (!line.empty()) {
      impression(lines, line);
    }
  }
}

void MindReader::impression(const Lines& at, std::string_view line) {
  const auto cells = split_at(line, '\t');
  const auto time = cells.size() == 5 ? mind_time(cells[2]) : std::nullopt;
  if (!time) return sink_.reject(at, "expected: id, user, time, history, impressions", line);
  std::vector<std::string_view> items = split_words(cells[4]);
  const auto with_label = std::count_if(items.begin(), items.end(), labelled);
  if (items.empty()) return sink_.reject(at, "nothing was shown", line);
  if (with_label == 0) {
    throw Error(
        "these impressions have no labels (N1 N2 instead of N1-0 N2-1): a test set, which "
        "does not tell what was clicked",
        "import the behaviors.tsv of the train or dev part",
        fmt::format("{}:{}", at.name(), at.number()));
  }
  if (size_t(with_label) < items.size()) return sink_.reject(at, "an item without a label", line);
  std::vector<uint8_t> clicked;
  for (std::string_view& item : items) {
    clicked.push_back(item.back() == '1' ? 1 : 0);
    item.remove_suffix(2);
  }
  if (!sink_.shown(at, {cells[1], *time, items, clicked}, line)) return;
  shown_clicks_ += uint64_t(std::count(clicked.begin(), clicked.end(), 1));
  remember(at, cells[1], *time, cells[3]);
}

void MindReader::remember(const Lines& at, std::string_view user, int64_t time,
                          std::string_view history) {
  if (history.empty()) return;
  const auto [entry, fresh] = histories_.try_emplace(std::string(user));
  History& kept = entry->second;
  const bool better = time < kept.time || (time == kept.time && history.size() > kept.items.size());
  if (fresh || better) kept = {time, std::string(history), sink_.file_number(), at.number()};
}

void MindReader::finish() {
  std::vector<std::pair<std::string_view, const History*>> users;
  for (const auto& [user, history] : histories_) users.emplace_back(user, &history);
  std::sort(users.begin(), users.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->file, a.second->line) < std::pair(b.second->file, b.second->line);
  });
  for (const auto& [user, history] : users) {
    sink_.resume_file(history->file);
    const std::string file = sink_.file().name;
    const auto items = split_words(history->items);
    int64_t time = history->time - static_cast<int64_t>(items.size());
    for (const std::string_view item : items) {
      sink_.event({file, history->line}, user, item, time++, 1, history->items);
      ++history_clicks_;
    }
  }
}

Json MindReader::summary() const {
  return {{"clicks_from_impressions", shown_clicks_}, {"clicks_from_histories", history_clicks_}};
}

void MindReader::news(Lines& lines) {
  std::string_view line;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const auto cells = split_at(line, '\t');
    if (lines.overlong() || cells.size() < 5) {
      sink_.reject(
          lines,
          lines.overlong() ? kOverlongLine : "expected: id, category, subcategory, title, abstract",
          line);
      continue;
    }
    sink_.item(lines,
               {.id = std::string(cells[0]),
                .title = std::string(cells[3]),
                .description = std::string(cells[4]),
                .categories = {std::string(cells[1]), std::string(cells[2])}},
               line);
  }
}

}  // namespace podium::data
