// Layouts that hold several events a line.
#include <charconv>
#include <ctime>
#include <limits>

#include "podium/data/import.h"
#include "podium/data/import_values.h"

namespace podium::data {
namespace {

std::vector<std::string_view> cells_of(std::string_view line, char separator) {
  std::vector<std::string_view> cells;
  for (;;) {
    const size_t end = line.find(separator);
    cells.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(end + 1);
  }
}

// "11/12/2019 2:14:46 PM" as UTC seconds.
std::optional<int64_t> mind_time(std::string_view text) {
  const std::string copy(text);
  std::tm moment{};
  const char* end = strptime(copy.c_str(), "%m/%d/%Y %I:%M:%S %p", &moment);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<int64_t>(timegm(&moment));
}

}  // namespace

void import_sequences(Lines& lines, std::map<std::string, int64_t>& next_time, ImportSink& sink) {
  std::string_view line;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos || tab == 0 || lines.overlong()) {
      sink.reject(lines, "expected: user TAB items separated by spaces", line);
      continue;
    }
    const std::string_view user = line.substr(0, tab);
    int64_t& time = next_time[std::string(user)];
    for (const std::string_view item : cells_of(line.substr(tab + 1), ' ')) {
      if (!item.empty()) sink.event(lines, user, item, time++, 1, line);
    }
  }
}

void import_mind_behaviors(Lines& lines, ImportSink& sink) {
  std::string_view line;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const auto cells = cells_of(line, '\t');
    const auto time = cells.size() == 5 ? mind_time(cells[2]) : std::nullopt;
    if (!time) {
      sink.reject(lines, "expected: id, user, time, history, impressions", line);
      continue;
    }
    for (const std::string_view shown : cells_of(cells[4], ' ')) {
      if (shown.ends_with("-1")) {
        sink.event(lines, cells[1], shown.substr(0, shown.size() - 2), time, 1, line);
      }
    }
  }
}

void import_mind_news(Lines& lines, ImportSink& sink) {
  std::string_view line;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const auto cells = cells_of(line, '\t');
    if (cells.size() < 5) {
      sink.reject(lines, "expected: id, category, subcategory, title, abstract", line);
      continue;
    }
    sink.item(lines,
              {std::string(cells[0]),
               std::string(cells[3]),
               "",
               std::string(cells[4]),
               {std::string(cells[1]), std::string(cells[2])},
               std::numeric_limits<float>::quiet_NaN()},
              line);
  }
}

}  // namespace podium::data
