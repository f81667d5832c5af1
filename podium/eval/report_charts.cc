#include "podium/eval/report_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace podium::eval {
namespace {

std::string axis_number(double value) {
  const double size = std::abs(value);
  if (size >= 1e6) return fmt::format("{:.3g}M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:.3g}k", value / 1e3);
  return fmt::format("{:.3g}", value);
}

// A row's drawing: 100 wide whatever the screen, strokes of constant width.
std::string interval_svg(const IntervalRow& row, double scale) {
  const auto x = [&](double v) { return std::clamp(100 * v / scale, 0.0, 100.0); };
  return fmt::format(
      "<svg class=\"track\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"{:.4f} [{:.4f}, {:.4f}]\"><path class=\"rail\" d=\"M0 5H100\"/>"
      "<path class=\"range\" d=\"M{:.2f} 5H{:.2f}\"/><path class=\"dot\" d=\"M{:.2f} 5h0\"/></svg>",
      row.value, row.low, row.high, x(row.low), x(row.high), x(row.value));
}

// A step of 1, 2 or 5 times a power of ten that divides `span` into about four.
double tick_step(double span) {
  const double raw = span / 4, base = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * base >= raw) return factor * base;
  }
  return 10 * base;
}

struct Frame {
  double x0, x1, y0, y1;  // data ranges
  static constexpr double kLeft = 44, kRight = 314, kTop = 8, kBottom = 150;

  double x(double v) const { return kLeft + (v - x0) / (x1 - x0) * (kRight - kLeft); }
  double y(double v) const { return kBottom - (v - y0) / (y1 - y0) * (kBottom - kTop); }
};

std::string axes(const Frame& f) {
  std::string svg;
  const double step = tick_step(f.y1 - f.y0);
  for (double v = std::ceil(f.y0 / step) * step; v <= f.y1 + 1e-9 * step; v += step) {
    const double shown = std::abs(v) < 1e-9 * step ? 0 : v;
    svg += fmt::format(
        "<path class=\"rail\" d=\"M{} {:.1f}H{}\"/><text x=\"{}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>",
        Frame::kLeft, f.y(v), Frame::kRight, Frame::kLeft - 5, f.y(v) + 4, axis_number(shown));
  }
  svg += fmt::format("<text x=\"{}\" y=\"168\">{}</text>", Frame::kLeft, axis_number(f.x0));
  svg += fmt::format("<text x=\"{}\" y=\"168\" text-anchor=\"end\">step {}</text>", Frame::kRight,
                     axis_number(f.x1));
  return svg;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (uint8_t(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

std::string interval_chart(const std::string& title, const std::vector<IntervalRow>& rows) {
  double scale = 0;
  for (const IntervalRow& row : rows) scale = std::max(scale, row.high);
  scale = scale > 0 ? scale * 1.04 : 1;
  std::string html =
      "<figure class=\"intervals\"><figcaption>" + escape_html(title) + "</figcaption>";
  for (const IntervalRow& row : rows) {
    html += fmt::format(
        "<div class=\"row{}\"><span class=\"name\">{}</span>{}<span class=\"num\">{:.4f}</span>"
        "</div>",
        row.strong ? " strong" : "", escape_html(row.label), interval_svg(row, scale), row.value);
  }
  return html + "</figure>\n";
}

std::string line_chart(const std::string& title,
                       const std::vector<std::pair<double, double>>& points) {
  if (points.size() < 2) return "";
  Frame f{points.front().first, points.front().first, points[0].second, points[0].second};
  for (const auto& [x, y] : points) {
    f.x0 = std::min(f.x0, x), f.x1 = std::max(f.x1, x);
    f.y0 = std::min(f.y0, y), f.y1 = std::max(f.y1, y);
  }
  if (f.x1 <= f.x0) return "";
  if (f.y1 <= f.y0) {
    const double room = std::max(1e-6, std::abs(f.y0) * 0.1);
    f.y0 -= room, f.y1 += room;
  }
  std::string path;
  for (const auto& [x, y] : points) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", f.x(x), f.y(y));
  }
  return fmt::format(
      "<figure class=\"line\"><figcaption>{}</figcaption><svg viewBox=\"0 0 320 174\" "
      "role=\"img\" aria-label=\"from {} to {}\">{}<path class=\"curve\" d=\"{}\"/></svg>"
      "</figure>\n",
      escape_html(title), axis_number(points.front().second), axis_number(points.back().second),
      axes(f), path);
}

std::string bar_chart(const std::string& title, const std::vector<BarRow>& rows) {
  double scale = 0;
  for (const BarRow& row : rows) scale = std::max(scale, row.value);
  std::string html =
      "<figure class=\"intervals\"><figcaption>" + escape_html(title) + "</figcaption>";
  for (const BarRow& row : rows) {
    const double width = scale > 0 ? 100 * row.value / scale : 0;
    html += fmt::format(
        "<div class=\"row\"><span class=\"name\">{}</span><svg class=\"track\" viewBox=\"0 0 100 "
        "10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"bar\" y=\"1\" "
        "width=\"{:.2f}\" height=\"8\"/></svg><span class=\"num\">{}</span></div>",
        escape_html(row.label), width, escape_html(row.text));
  }
  return html + "</figure>\n";
}

}  // namespace podium::eval
