#include "podium/eval/report_examples.h"

#include <fmt/format.h>

#include <vector>

#include "podium/eval/report_charts.h"

namespace podium::eval {
namespace {

std::string name_of(const Json& item) {
  const auto title = item.at("title").get<std::string>();
  return escape_html(title.empty() ? item.at("id").get<std::string>() : title);
}

std::string item_html(const Json& item, const std::string& moved = "") {
  const bool hit = item.value("positive", false);
  const std::string category = escape_html(item.at("category").get<std::string>());
  return fmt::format("<li{}>{}{} <small>{}{}</small></li>", hit ? " class=\"hit\"" : "",
                     hit ? "★ " : "", name_of(item), category, moved);
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  if (from.empty()) return;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Escaped trace with every known SID as its item's title; the SID itself stays as a tooltip.
std::string trace_html(const Json& slate, const Json& answer) {
  std::string trace = escape_html(answer.at("trace").get<std::string>());
  if (trace.empty()) return "";
  for (const char* list : {"candidates", "history"}) {
    for (const Json& item : slate.at(list)) {
      const std::string sid = escape_html(item.at("sid").get<std::string>());
      // The tooltip leaves the brackets out, so that a second item cannot match inside it.
      std::string tip = sid;
      replace_all(tip, "&gt;&lt;", " ");
      for (const char* bracket : {"&lt;", "&gt;"}) replace_all(tip, bracket, "");
      replace_all(trace, sid, fmt::format(" <cite title=\"{}\">{}</cite> ", tip, name_of(item)));
    }
  }
  const std::string verdict = answer.value("verdict", std::string());
  return "<blockquote>" + trace + "</blockquote>" +
         (verdict.empty() ? "" : "<p><small>Trace: " + escape_html(verdict) + "</small></p>");
}

std::string moved_text(int from, size_t to) {
  const int up = from - int(to);
  return up == 0 ? "" : fmt::format(" {}{}", up > 0 ? "↑" : "↓", up > 0 ? up : -up);
}

std::string answer_html(const Json& slate, const Json& answer) {
  std::string html = "<h3>" + escape_html(answer.at("title").get<std::string>()) + "</h3>";
  if (!answer.value("valid", true)) html += "<p>Invalid answer: upstream’s order was kept.</p>";
  html += trace_html(slate, answer) + "<ol>";
  const Json& order = answer.at("order");
  for (size_t r = 0; r < order.size(); ++r) {
    const int from = order[r].get<int>();
    html += item_html(slate.at("candidates").at(size_t(from)), moved_text(from, r));
  }
  return html + "</ol>";
}

std::string slate_html(const Json& slate, bool open) {
  std::string html =
      fmt::format("<details{}><summary>User {}</summary><div class=\"lists\"><div><h3>History</h3>",
                  open ? " open" : "", escape_html(slate.at("user").get<std::string>()));
  html += "<ul>";
  for (const Json& item : slate.at("history")) html += item_html(item);
  html += "</ul></div><div><h3>Upstream’s order</h3><ol>";
  for (const Json& item : slate.at("candidates")) html += item_html(item);
  html += "</ol></div>";
  for (const Json& answer : slate.at("answers")) {
    html += "<div>" + answer_html(slate, answer) + "</div>";
  }
  return html + "</div></details>\n";
}

}  // namespace

std::string examples_html(const Json& examples) {
  std::string html;
  for (const Json& slate : examples) html += slate_html(slate, html.empty());
  return html;
}

}  // namespace podium::eval
