#include "podium/data/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <ctime>
#include <utility>

namespace podium::data {
namespace {

std::array<uint32_t, kQuantiles.size()> quantiles(std::vector<uint32_t> values) {
  std::array<uint32_t, kQuantiles.size()> found{};
  if (values.empty()) return found;
  std::sort(values.begin(), values.end());
  for (size_t i = 0; i < kQuantiles.size(); ++i) {
    found[i] = values[size_t(kQuantiles[i] * double(values.size() - 1))];
  }
  return found;
}

std::vector<uint32_t> histogram(const std::vector<uint32_t>& values) {
  std::vector<uint32_t> bins;
  for (const uint32_t value : values) {
    if (value == 0) continue;
    const auto bin = static_cast<size_t>(std::bit_width(value) - 1);
    if (bins.size() <= bin) bins.resize(bin + 1);
    ++bins[bin];
  }
  return bins;
}

std::string day(int64_t time) {
  const std::time_t seconds = time;
  std::tm moment{};
  gmtime_r(&seconds, &moment);
  return fmt::format("{:04}-{:02}-{:02}", moment.tm_year + 1900, moment.tm_mon + 1, moment.tm_mday);
}

std::string range_of(size_t bin) {
  const uint64_t low = uint64_t{1} << bin;
  return low == 1 ? "1" : fmt::format("{}-{}", low, 2 * low - 1);
}

double density(const Description& d) {
  return d.users == 0 || d.items == 0 ? 0 : double(d.events) / double(d.users) / double(d.items);
}

double share(size_t part, size_t whole) { return whole == 0 ? 0 : double(part) / double(whole); }

std::string repeats_text(const Description& d) {
  return fmt::format("repeats: {:.1f} % of events, {:.1f} % of last events",
                     100 * share(d.repeats, d.events), 100 * share(d.last_repeats, d.users));
}

std::string bars_text(const std::string& title, const std::vector<uint32_t>& bins) {
  std::string text = title + "\n";
  const uint32_t top = bins.empty() ? 1 : std::max(1U, *std::max_element(bins.begin(), bins.end()));
  for (size_t i = 0; i < bins.size(); ++i) {
    const auto width = static_cast<int>(40.0 * bins[i] / top);
    text += fmt::format("  {:>15} {:#<{}} {}\n", range_of(i), "", width, bins[i]);
  }
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string bars_svg(const std::string& title, const std::vector<uint32_t>& bins) {
  const uint32_t top = bins.empty() ? 1 : std::max(1U, *std::max_element(bins.begin(), bins.end()));
  std::string svg =
      fmt::format("<h2>{}</h2><svg viewBox=\"0 0 640 {}\" role=\"img\" aria-label=\"{}\">", title,
                  bins.size() * 24 + 4, title);
  for (size_t i = 0; i < bins.size(); ++i) {
    const double width = 420.0 * bins[i] / top;
    svg += fmt::format(
        "<text x=\"110\" y=\"{0}\" text-anchor=\"end\">{1}</text><rect x=\"120\" y=\"{2}\" "
        "width=\"{3:.1f}\" height=\"18\"/><text x=\"{4:.1f}\" y=\"{0}\">{5}</text>",
        i * 24 + 16, range_of(i), i * 24 + 2, width, 126 + width, bins[i]);
  }
  return svg + "</svg>";
}

std::string quantile_line(const std::array<uint32_t, kQuantiles.size()>& values) {
  std::string line;
  for (size_t i = 0; i < values.size(); ++i) {
    line += fmt::format("  {:.0f}%: {}", kQuantiles[i] * 100, values[i]);
  }
  return line;
}

}  // namespace

Description describe(const Dataset& dataset) {
  Description d;
  d.name = dataset.name();
  d.users = dataset.users();
  d.items = dataset.items();
  d.events = dataset.events();
  std::vector<uint32_t> lengths, counts(d.items);
  std::vector<UserIndex> had_by(d.items, UserIndex(d.users));  // nobody yet
  d.first_time = INT64_MAX;
  d.last_time = INT64_MIN;
  for (UserIndex u = 0; u < d.users; ++u) {
    const auto items = dataset.items_of(u);
    lengths.push_back(uint32_t(items.size()));
    bool repeat = false;
    for (const ItemIndex item : items) {
      ++counts[item];
      repeat = std::exchange(had_by[item], u) == u;
      d.repeats += repeat ? 1 : 0;
    }
    d.last_repeats += repeat ? 1 : 0;
    for (const int64_t time : dataset.times_of(u)) {
      d.first_time = std::min(d.first_time, time);
      d.last_time = std::max(d.last_time, time);
    }
  }
  for (ItemIndex i = 0; i < d.items; ++i) d.items_with_text += dataset.has_text(i) ? 1 : 0;
  d.history = quantiles(lengths);
  d.popularity = quantiles(counts);
  d.history_histogram = histogram(lengths);
  d.popularity_histogram = histogram(counts);
  return d;
}

std::string_view proposed_seen_rule(const Description& d) {
  return 20 * d.last_repeats >= d.users && d.last_repeats > 0 ? "decay" : "exclude";
}

std::string describe_text(const Description& d) {
  return fmt::format(
      "{}\n  users {}  items {}  events {}\n  density {:.4f} %\n  time {} to {}\n"
      "  items with text {:.1f} %\n  {}; train with --seen {}\n  events a user:{}\n  events an "
      "item:{}\n\n{}\n{}",
      d.name, d.users, d.items, d.events, 100 * density(d), day(d.first_time), day(d.last_time),
      100 * share(d.items_with_text, d.items), repeats_text(d), proposed_seen_rule(d),
      quantile_line(d.history), quantile_line(d.popularity),
      bars_text("users by number of events", d.history_histogram),
      bars_text("items by number of events", d.popularity_histogram));
}

std::string describe_html(const Description& d) {
  return fmt::format(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">{12}<title>{0}</title><style>:root{{color-scheme:light "
      "dark}}body{{font:16px system-ui;max-width:44rem;margin:2rem auto;padding:0 "
      "1rem}}svg{{width:100%}}rect{{fill:#3b82f6}}text{{font-size:13px;fill:currentColor}}"
      "</style><h1>{0}</h1><p>{1} users, {2} items, {3} events, density {4:.4f} %, {5} to {6}, "
      "{7:.1f} % of the items have text. {8}: train with <code>--seen {9}</code>.</p>{10}{11}"
      "</html>\n",
      escaped(d.name), d.users, d.items, d.events, 100 * density(d), day(d.first_time),
      day(d.last_time), 100 * share(d.items_with_text, d.items), "R" + repeats_text(d).substr(1),
      proposed_seen_rule(d), bars_svg("Users by number of events", d.history_histogram),
      bars_svg("Items by number of events", d.popularity_histogram), kDescribeMark);
}

Json describe_json(const Description& d) {
  return {{"name", d.name},
          {"users", d.users},
          {"items", d.items},
          {"events", d.events},
          {"density", density(d)},
          {"first_time", d.first_time},
          {"last_time", d.last_time},
          {"items_with_text", d.items_with_text},
          {"repeats", d.repeats},
          {"last_repeats", d.last_repeats},
          {"proposed_seen", proposed_seen_rule(d)},
          {"quantiles", kQuantiles},
          {"history", d.history},
          {"popularity", d.popularity},
          {"history_histogram", d.history_histogram},
          {"popularity_histogram", d.popularity_histogram}};
}

}  // namespace podium::data
