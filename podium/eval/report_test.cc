#include "podium/eval/report.h"

#include <gtest/gtest.h>

#include <functional>

#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/eval/report_charts.h"
#include "podium/eval/report_verdict.h"

namespace podium::eval {
namespace {

constexpr const char* kNasty = "<script>alert('x')</script>\"><img src=x onerror=y>";

StageResult random_stage(const std::string& name, uint64_t worst, const TargetSet& targets) {
  Rng rng(stable_hash(name));
  StageResult s;
  s.stage = name;
  for (size_t t = 0; t < targets.targets.size(); ++t) {
    s.rank.push_back(int32_t(rng.below(worst)));
    s.lists.push_back({uint32_t(rng.below(8)), uint32_t(8 + rng.below(12))});
  }
  return s;
}

ExampleSlate nasty_example() {
  ExampleSlate slate;
  slate.user = kNasty;
  slate.history = {{"h1", kNasty, "<s_a_1>", kNasty}};
  slate.candidates = {{"c1", "First & foremost", "<s_a_2>", "Tea"},
                      {kNasty, "", "<s_a_3>", "", true}};
  slate.answers = {{"gr2-rl",
                    {1, 0},
                    std::string("best <s_a_2>") + kNasty,
                    std::string("not grounded: ") + kNasty},
                   {"gr2-fast", {0, 1}, "", "", false}};
  return slate;
}

ReportInput sample() {
  ReportInput input;
  input.title = kNasty;
  input.protocol = "leave-one-out";
  input.facts = {{"users", "60"}};
  for (uint32_t u = 0; u < 60; ++u) {
    input.targets.targets.push_back({.user = u, .history = u, .same_day = u % 3 == 0});
  }
  input.targets.popularity.assign(20, 3);
  for (const char* name :
       {"gr2-rl", "popularity", "upstream", "my-source", "gr2-sft", "hstu", "sasrec"}) {
    input.stages.push_back(random_stage(name, name[0] == 'p' ? 40 : 12, input.targets));
  }
  input.stages[0].identity_rate = 0.5;
  input.stages[0].trace_grounded = 0.75;
  input.metrics.resamples = 50;
  input.curves = {{"rl", "reward <b>", {{0, 0.1}, {10, 0.3}, {20, 0.2}}}};
  input.timings = {{"sasrec", 75.0}, {"rl", 4000.0}};
  input.examples.assign(52, nasty_example());
  return input;
}

std::vector<std::string> titles(const Json& report) {
  std::vector<std::string> out;
  for (const Json& s : report["stages"]) out.push_back(s["title"]);
  return out;
}

TEST(ReportTest, StagesComeInTheFunnelsOrderAndNewOnesAppear) {
  const Json report = build_report(sample(), 2);
  EXPECT_EQ(titles(report), (std::vector<std::string>{"Popularity", "SASRec", "HSTU", "my-source",
                                                      "Upstream (boosted trees)", "GR2 after SFT",
                                                      "GR2 after RL, with trace"}));
  EXPECT_NE(render_table(report).find("\n  my-source "), std::string::npos);
  EXPECT_NE(render_html(report).find("my-source"), std::string::npos);
  EXPECT_EQ(report["examples"].size(), 50u);
  EXPECT_TRUE(report["stages"][0]["identity_rate"].is_null());
  EXPECT_EQ(report["stages"][6]["identity_rate"], 0.5);
  EXPECT_EQ(report["stages"][6]["trace_grounded"], 0.75);
  EXPECT_TRUE(report["stages"][6]["trace_repeats"].is_null());
  EXPECT_NE(render_table(report).find(" 75.0 %"), std::string::npos);
}

TEST(ReportTest, SaysWhoseOrderWasImproved) {
  EXPECT_EQ(stage_title("upstream"), "Upstream (boosted trees)");
  ReportInput input = sample();
  input.order = "item-to-item";
  EXPECT_EQ(titles(build_report(input, 1))[4], "Item-to-item's list");
  EXPECT_EQ(stage_title("upstream", "shown"), "The order as shown");
}

TEST(ReportTest, HtmlIsSelfContainedAndEscaped) {
  const std::string html = render_html(build_report(sample(), 1));
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_EQ(html.find("<s_a_"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos) << "no reference to another place";
  EXPECT_EQ(html.find("src="), html.find("src=x onerror")) << "only as text";
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  // A SID in a trace is shown as the title of its item.
  EXPECT_NE(html.find("<cite title=\"s_a_2\">First &amp; foremost</cite>"), std::string::npos);
  EXPECT_NE(html.find("Invalid answer"), std::string::npos);
  EXPECT_NE(html.find("not grounded: &lt;script"), std::string::npos);
  EXPECT_NE(html.find("<td>75.0 %</td>"), std::string::npos);
}

// Every element is closed in order, so a browser shows what was meant.
TEST(ReportTest, HtmlIsWellFormed) {
  const std::string html = render_html(build_report(sample(), 1));
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const size_t end = html.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = html.substr(at + 1, end - at - 1);
    if (tag[0] == '!' || tag.back() == '/' || tag.starts_with("meta") || tag == "br") continue;
    if (tag[0] != '/') {
      open.push_back(tag.substr(0, tag.find_first_of(" \n")));
      continue;
    }
    ASSERT_FALSE(open.empty()) << tag;
    ASSERT_EQ(open.back(), tag.substr(1)) << html.substr(at > 80 ? at - 80 : 0, 120);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

TEST(ReportTest, WrittenReportComesBack) {
  const fs::path dir = scratch("report");
  const Json written = write_report(dir, sample(), 2);
  EXPECT_EQ(read_report(dir), written);
  EXPECT_EQ(read_results(dir / "results.json").stages.size(), 7u);
  EXPECT_EQ(render_table(read_report(dir)), render_table(written));
  EXPECT_EQ(render_html(read_report(dir)), read_file(dir / "report.html"));

  Json newer = written;
  newer["podium"]["version"] = 99;
  write_json_atomic(dir / "report.json", newer);
  EXPECT_THROW(read_report(dir), Error);
  write_json_atomic(dir / "report.json", {1, 2});
  EXPECT_THROW(read_report(dir), Error);
  fs::remove(dir / "report.json");
  EXPECT_THROW(read_report(dir), Error);
}

// A report whose re-ranker puts every target at rank `reranked`, upstream at 0, 1, 2 in turn.
std::string verdict_for(const std::function<int32_t(size_t target)>& reranked) {
  ReportInput input = sample();
  std::erase_if(input.stages, [](const StageResult& s) { return s.stage != "upstream"; });
  input.stages.push_back(input.stages[0]);
  input.stages[1].stage = "gr2-rl";
  for (size_t t = 0; t < input.targets.targets.size(); ++t) {
    input.stages[0].rank[t] = int32_t(t % 3);
    input.stages[1].rank[t] = reranked(t);
  }
  return verdict(build_report(input, 1));
}

TEST(ReportTest, TheVerdictFollowsTheInterval) {
  const std::string better = verdict_for([](size_t) { return 0; });
  EXPECT_NE(better.find("orders better than “Upstream"), std::string::npos) << better;
  EXPECT_NE(better.find("over 60 targets"), std::string::npos) << better;
  const std::string worse = verdict_for([](size_t t) { return int32_t(3 + t % 3); });
  EXPECT_NE(worse.find("orders worse than"), std::string::npos) << worse;
  const std::string equal = verdict_for([](size_t t) { return int32_t((t + 1) % 3); });
  EXPECT_NE(equal.find("within the noise"), std::string::npos) << equal;
  const std::string same = verdict_for([](size_t t) { return int32_t(t % 3); });
  EXPECT_NE(same.find("within the noise"), std::string::npos) << same;
}

TEST(ReportTest, TheTableEndsWithTheVerdictOnceAndTellsTheFacts) {
  const Json report = build_report(sample(), 1);
  const std::string table = render_table(report), meaning = verdict(report);
  EXPECT_TRUE(table.ends_with("In short: " + meaning + "\n"));
  EXPECT_NE(table.find("users 60"), std::string::npos);
  ReportInput one = sample();
  one.stages.resize(1);
  EXPECT_EQ(verdict(build_report(one, 1)), "");
}

TEST(ReportTest, CurvesSurviveAKill) {
  const fs::path file = scratch("metrics.jsonl");
  write_file_atomic(file,
                    "{\"step\":1,\"loss\":3.5,\"note\":\"text\"}\n{\"step\":2,\"loss\":3}\n"
                    "{\"step\":2,\"loss\":2.5,\"reward\":0.5}\nnot json\n{\"step\":3,\"lo");
  const std::vector<Curve> curves = read_curves(file, "sft");
  ASSERT_EQ(curves.size(), 2u);
  EXPECT_EQ(curves[0].series, "loss");
  EXPECT_EQ(curves[0].points, (std::vector<std::pair<double, double>>{{1, 3.5}, {2, 2.5}}));
  EXPECT_EQ(curves[1].series, "reward");
  EXPECT_TRUE(read_curves(file.string() + ".missing", "sft").empty());
}

TEST(ReportTest, EscapesEveryMarkupCharacter) {
  EXPECT_EQ(escape_html("a<b>&\"'\x01z"), "a&lt;b&gt;&amp;&quot;&#39;z");
}

TEST(ReportTest, LineChartNeedsTwoSteps) {
  EXPECT_EQ(line_chart("loss", {{1, 2}}), "");
  EXPECT_EQ(line_chart("loss", {{1, 2}, {1, 3}}), "");
  EXPECT_NE(line_chart("flat", {{1, 2}, {2, 2}}).find("<svg"), std::string::npos);
}

}  // namespace
}  // namespace podium::eval
