// The report of a run: report.json holds everything; report.html (self-contained) and the terminal
// table are renderings of it, so that `podium report` can redo both at any time.
//
// Plain data in; nothing here knows models. All catalogue and trace text is escaped when rendered.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/eval/metrics.h"
#include "podium/eval/results.h"

namespace podium::eval {

struct Curve {                                    // one learning curve of one training stage
  std::string stage;                              // "sasrec", "midtrain", "sft", "rl", ...
  std::string series;                             // "loss", "reward", ...
  std::vector<std::pair<double, double>> points;  // step, value
};

struct ExampleItem {
  std::string id, title, sid, category;
  bool positive = false;
};

struct ExampleAnswer {
  std::string stage;       // "gr2-rl", ...
  std::vector<int> order;  // order[r] = input position of the candidate at rank r
  std::string trace;       // empty: none; SIDs in it are shown beside their titles
  std::string verdict;     // on the trace (rerank/trace_check.h); empty: none
  bool valid = true;       // false: the upstream order was returned instead
};

struct ExampleSlate {
  std::string user;
  std::vector<ExampleItem> history;     // oldest first
  std::vector<ExampleItem> candidates;  // upstream order
  std::vector<ExampleAnswer> answers;   // each must be a permutation of the candidates
};

struct ReportInput {
  std::string title;     // "MovieLens-100K"
  std::string protocol;  // one sentence: split, full ranking, rule for seen items
  // Shown as given, in order: users, items, events, density, seed, machine, version...
  std::vector<std::pair<std::string, std::string>> facts;
  // The rows. Known names are put in the funnel's order (see stage_order); others follow the
  // retrievers in the order given, so a new retriever appears by itself.
  std::vector<StageResult> stages;
  // Whose order "upstream" is: "ranker", a source's name, or "shown".
  std::string order = "ranker";
  TargetSet targets;
  MetricOptions metrics;
  std::vector<Curve> curves;
  std::vector<std::pair<std::string, double>> timings;  // training stage, seconds
  std::vector<ExampleSlate> examples;                   // fifty are shown
};

// popularity, item-to-item, content, sasrec, (extra retrievers), blend, upstream, gr2-sft, gr2-rl,
// gr2-fast, gr2-plain, (extra "gr2-..."). Stable.
void sort_stages(std::vector<StageResult>& stages);
// "GR2 after RL, with trace"; itself if unknown. `order`: see ReportInput.
std::string stage_title(const std::string& stage, const std::string& order = "ranker");

// All numbers of the report: metrics, intervals, tests, curves, examples.
Json build_report(const ReportInput& input, int threads);

std::string render_table(const Json& report);  // for terminals, UTF-8
std::string render_html(const Json& report);   // one file, no references
// At the end of that file, by which it is known as ours.
inline constexpr const char* kReportFooter =
    "<footer>Made by podium. Every figure here is in report.json.</footer>";

// report.json, report.html and results.json (see results.h) in `dir`, each written atomically.
// Returns report.json's content.
Json write_report(const fs::path& dir, const ReportInput& input, int threads);

// Reads report.json; throws Error when it is not one or newer than this program.
Json read_report(const fs::path& dir);

// metrics.jsonl of a training stage: every line an object with "step" (else the line's number) and
// numbers; one curve a numeric key. Lines that do not parse (the tail after a kill) are skipped; of
// a step written twice (resumed), the last counts. A missing file gives no curves.
std::vector<Curve> read_curves(const fs::path& metrics_jsonl, const std::string& stage);

}  // namespace podium::eval
