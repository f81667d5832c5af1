// report.html: one file without references or scripts, in light and dark, readable on a phone.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "podium/eval/report.h"
#include "podium/eval/report_charts.h"
#include "podium/eval/report_examples.h"
#include "podium/eval/report_style.h"
#include "podium/eval/report_values.h"
#include "podium/eval/report_verdict.h"

namespace podium::eval {
namespace {

std::string text_of(const Json& json, const char* key) {
  return escape_html(json.at(key).get<std::string>());
}

std::string with_interval(const Json& metric) {
  if (!metric.at("value").is_number()) return "<td>–</td>";
  return fmt::format("<td>{}<small>{} – {}</small></td>", figure(metric.at("value")),
                     figure(metric.at("low")), figure(metric.at("high")));
}

// One table, scrolling sideways on narrow screens. Cells are ready HTML (<td>…</td>).
class HtmlTable {
 public:
  HtmlTable(const std::vector<std::string>& header) {
    html_ = "<div class=\"scroll\"><table><thead><tr>";
    for (const std::string& cell : header) html_ += "<th>" + escape_html(cell) + "</th>";
    html_ += "</tr></thead><tbody>\n";
  }
  void add(const std::string& title, const std::string& cells, bool strong = false) {
    html_ += fmt::format("<tr{}><th scope=\"row\">{}</th>{}</tr>\n",
                         strong ? " class=\"strong\"" : "", title, cells);
  }
  std::string html() const { return html_ + "</tbody></table></div>\n"; }

 private:
  std::string html_;
};

struct Stage {
  std::string name, title;  // title escaped
  const Json* facts;        // report.stages[i]
  const Json* metrics;      // report.evaluation.stages[i]

  bool reranker() const { return name.starts_with("gr2"); }
  bool reorders() const { return reranker() || name == "upstream"; }
};

std::vector<Stage> stages_of(const Json& report) {
  std::vector<Stage> stages;
  const Json& facts = report.at("stages");
  const Json& metrics = report.at("evaluation").at("stages");
  for (size_t i = 0; i < facts.size(); ++i) {
    stages.push_back({facts[i].at("stage").get<std::string>(), text_of(facts[i], "title"),
                      &facts[i], &metrics.at(i)});
  }
  return stages;
}

std::string title_of(const std::vector<Stage>& stages, const Json& name) {
  for (const Stage& s : stages) {
    if (s.name == name) return s.title;
  }
  return escape_html(name.get<std::string>());
}

std::string facts_html(const Json& report) {
  std::string html = "<dl class=\"facts\">";
  for (const Json& fact : report.at("facts")) {
    html +=
        "<div><dt>" + text_of(fact, "name") + "</dt><dd>" + text_of(fact, "value") + "</dd></div>";
  }
  return html + "</dl>\n";
}

std::string metrics_table(const std::vector<Stage>& stages, const char* slice, bool slates_only) {
  const std::vector<std::string> metrics =
      slates_only
          ? std::vector<std::string>{"R@1", "R@3", "R@5", "N@3", "N@5", "N@10", "AUC"}
          : std::vector<std::string>{"R@1", "R@3", "R@5", "R@10", "N@3", "N@5", "N@10", "MRR"};
  std::vector<std::string> header = {"stage"};
  header.insert(header.end(), metrics.begin(), metrics.end());
  HtmlTable table(header);
  for (const Stage& s : stages) {
    if (slates_only && !s.reorders()) continue;
    std::string cells;
    for (const std::string& metric : metrics) {
      cells += with_interval(s.metrics->at("metrics").at(slice).at(metric));
    }
    table.add(s.title, cells, s.reranker());
  }
  return table.html();
}

std::string difference_cell(const Json& metric) {
  if (!metric.at("difference").is_number()) return "<td>–</td>";
  const double low = metric.at("low").get<double>(), high = metric.at("high").get<double>();
  const char* sign = low > 0 ? " class=\"up\"" : high < 0 ? " class=\"down\"" : "";
  return fmt::format("<td{}>{:+.4f}<small>{:+.4f} – {:+.4f}<br>p {}{:.4f}</small></td>", sign,
                     metric.at("difference").get<double>(), low, high,
                     metric.at("p").get<double>() < 1e-3 ? "&le; " : "= ",
                     metric.at("p").get<double>());
}

std::string comparisons_table(const Json& report, const std::vector<Stage>& stages,
                              const char* slice, bool rerankers_only) {
  const std::vector<std::string> metrics = {"R@1", "R@5", "R@10", "N@5", "N@10", "MRR"};
  std::vector<std::string> header = {"stage against baseline"};
  header.insert(header.end(), metrics.begin(), metrics.end());
  HtmlTable table(header);
  for (const Json& c : report.at("evaluation").at("comparisons")) {
    if (c.at("slice") != slice) continue;
    const bool reranker = c.at("stage").get<std::string>().starts_with("gr2");
    if (rerankers_only && !reranker) continue;
    std::string cells;
    for (const std::string& metric : metrics) cells += difference_cell(c.at("metrics").at(metric));
    table.add(title_of(stages, c.at("stage")) + " <small>against " +
                  title_of(stages, c.at("baseline")) + "</small>",
              cells, reranker);
  }
  return table.html();
}

std::string charts(const std::vector<Stage>& stages, const char* slice,
                   const std::vector<std::string>& metrics, bool slates_only) {
  std::string html = "<div class=\"charts\">";
  for (const std::string& metric : metrics) {
    std::vector<IntervalRow> rows;
    for (const Stage& s : stages) {
      if (slates_only && !s.reorders()) continue;
      const Json& m = s.metrics->at("metrics").at(slice).at(metric);
      if (!m.at("value").is_number()) continue;
      rows.push_back({s.facts->at("title").get<std::string>(), m.at("value").get<double>(),
                      m.at("low").get<double>(), m.at("high").get<double>(), s.reranker()});
    }
    html += interval_chart(metric, rows);
  }
  return html + "</div>\n";
}

std::string slices_table(const Json& report, const std::vector<Stage>& stages) {
  std::vector<std::string> header = {"N@10"};
  std::vector<std::string> names;
  for (const Json& slice : report.at("evaluation").at("slices")) {
    names.push_back(slice.at("name").get<std::string>());
    header.push_back(fmt::format("{} ({})", names.back(), slice.at("targets").get<size_t>()));
  }
  HtmlTable table(header);
  for (const Stage& s : stages) {
    std::string cells;
    for (const std::string& name : names) {
      cells += with_interval(s.metrics->at("metrics").at(name).at("N@10"));
    }
    table.add(s.title, cells, s.reranker());
  }
  return table.html();
}

std::string diversity_table(const std::vector<Stage>& stages) {
  HtmlTable table({"first ten", "coverage", "Gini", "novelty, bits"});
  for (const Stage& s : stages) {
    table.add(s.title,
              fmt::format("<td>{}</td><td>{}</td><td>{}</td>", percent(s.metrics->at("coverage")),
                          figure(s.metrics->at("gini"), 3), figure(s.metrics->at("novelty"), 2)),
              s.reranker());
  }
  return table.html();
}

std::string behaviour_table(const std::vector<Stage>& stages) {
  HtmlTable table({"re-ranker", "input order copied", "invalid when unconstrained",
                   "position bias (N@K)", "median ms a slate", "traces grounded", "consistent",
                   "repeating"});
  for (const Stage& s : stages) {
    if (!s.reranker()) continue;
    const auto share = [&](const char* name) {  // older reports have fewer
      return "<td>" + percent(s.facts->value(name, Json())) + "</td>";
    };
    table.add(s.title,
              share("identity_rate") + share("invalid_rate") +
                  fmt::format("<td>{}</td><td>{}</td>", figure(s.facts->at("position_bias")),
                              figure(s.facts->at("milliseconds"), 1)) +
                  share("trace_grounded") + share("trace_consistent") + share("trace_repeats"));
  }
  return table.html();
}

std::string curves_html(const Json& report) {
  std::string html;
  for (const Json& curve : report.at("curves")) {
    std::vector<std::pair<double, double>> points;
    for (const Json& point : curve.at("points")) {
      if (!point.at(0).is_number() || !point.at(1).is_number()) continue;
      points.emplace_back(point[0].get<double>(), point[1].get<double>());
    }
    html += line_chart(
        curve.at("stage").get<std::string>() + ": " + curve.at("series").get<std::string>(),
        points);
  }
  return html.empty() ? "" : "<div class=\"charts\">" + html + "</div>\n";
}

std::string duration(double seconds) {
  if (seconds >= 3600) return fmt::format("{:.1f} h", seconds / 3600);
  return seconds >= 60 ? fmt::format("{:.1f} min", seconds / 60) : fmt::format("{:.1f} s", seconds);
}

std::string timings_html(const Json& report) {
  std::vector<BarRow> rows;
  double total = 0;
  for (const Json& timing : report.at("timings")) {
    const double seconds = timing.at("seconds").get<double>();
    total += seconds;
    rows.push_back({timing.at("stage").get<std::string>(), seconds, duration(seconds)});
  }
  return rows.empty() ? "" : bar_chart("wall time, " + duration(total) + " in all", rows);
}

std::string section(const char* heading, const std::string& note, const std::string& body) {
  if (body.empty()) return "";
  const std::string paragraph = note.empty() ? "" : "<p>" + note + "</p>\n";
  return fmt::format("<section><h2>{}</h2>\n{}{}</section>\n", heading, paragraph, body);
}

std::string slate_sections(const Json& report, const std::vector<Stage>& stages) {
  const bool any =
      std::any_of(stages.begin(), stages.end(), [](const Stage& s) { return s.reranker(); });
  if (!any) return "";
  const std::string note = fmt::format(
      "The {} targets that are among upstream’s {} candidates: all that a re-ranker can change. "
      "AUC is the share of other candidates ranked below the target.",
      targets_of(report, "in-slate"), report.at("evaluation").at("k").get<size_t>());
  return section("Within the slate", note,
                 charts(stages, "in-slate", {"R@1", "R@3", "N@10", "AUC"}, true) +
                     metrics_table(stages, "in-slate", true) +
                     comparisons_table(report, stages, "in-slate", true)) +
         section("Behaviour of the re-rankers",
                 "Copied: answers equal to the input order, over slates that hold the target. "
                 "Position bias: N@K with the candidates in upstream’s order minus N@K with the "
                 "same candidates shuffled; 0 is best. Answers decode under a grammar that allows "
                 "permutations only; the invalid rate is that of free decoding. Traces: grounded, "
                 "if all that they mention was shown; consistent, if they end with the answer’s "
                 "first; repeating, if they name a candidate twice before.",
                 behaviour_table(stages));
}

}  // namespace

std::string render_html(const Json& report) {
  const std::vector<Stage> stages = stages_of(report);
  const std::string title = text_of(report, "title");
  std::string body = "<h1>" + title + "</h1>\n<p class=\"lead\">" + text_of(report, "protocol") +
                     "</p>\n" + facts_html(report);
  const std::string meaning = verdict(report);
  if (!meaning.empty()) body += "<p class=\"lead\">In short: " + escape_html(meaning) + "</p>\n";
  body += section("What each stage adds",
                  fmt::format("All {} targets. Small figures: 95 % bootstrap intervals over users.",
                              targets_of(report, "all")),
                  charts(stages, "all", {"R@1", "R@5", "R@10", "N@5", "N@10"}, false) +
                      metrics_table(stages, "all", false));
  body += section("Paired differences",
                  "Each stage against the one before it and against upstream, over the same "
                  "resampled users; p from a sign-flip permutation test. Coloured: the interval "
                  "leaves 0 out.",
                  comparisons_table(report, stages, "all", false));
  body += slate_sections(report, stages);
  body += section("Slices",
                  "Items: head, the most popular fifth; cold, fewer than five events; "
                  "tail, the rest. Days: whether the target falls on the day of the event before.",
                  slices_table(report, stages));
  body += section("Diversity", "", diversity_table(stages));
  body += section("Examples",
                  "History with the newest item last; ★ marks the item that the user chose.",
                  examples_html(report.at("examples")));
  body += section("Learning curves", "", curves_html(report));
  body += section("Time", "", timings_html(report));
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta "
         "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         title + " · podium</title>\n<style>" + std::string(kReportStyle) +
         "</style></head>\n<body><main>\n" + body + kReportFooter + "\n</main></body></html>\n";
}

}  // namespace podium::eval
