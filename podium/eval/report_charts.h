// Inline SVG charts for report.html. They take their colours from the page's CSS variables, so that
// light and dark need no second drawing. Labels are escaped here.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace podium::eval {

// Text for HTML bodies and quoted attributes: & < > " ' escaped, control characters dropped.
std::string escape_html(std::string_view text);

struct IntervalRow {
  std::string label;
  double value, low, high;
  bool strong = false;  // drawn in the accent colour
};
// Rows of a dot with its interval, on one scale from 0.
std::string interval_chart(const std::string& title, const std::vector<IntervalRow>& rows);

// One line; at least two points, else empty.
std::string line_chart(const std::string& title,
                       const std::vector<std::pair<double, double>>& points);

struct BarRow {
  std::string label;
  double value;
  std::string text;  // shown after the bar
};
std::string bar_chart(const std::string& title, const std::vector<BarRow>& rows);

}  // namespace podium::eval
