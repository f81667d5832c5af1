#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/cli/commands.h"
#include "podium/eval/report.h"
#include "podium/pipeline/process.h"

namespace podium::cli {
namespace {

constexpr const char* kOpener = "/usr/bin/xdg-open";

struct ReportArguments {
  std::string run, open = "auto";
  bool json = false;
};

bool shall_open(const ReportArguments& a) {
  if (a.open != "auto") return a.open == "yes";
  const bool desktop =
      std::getenv("DISPLAY") != nullptr || std::getenv("WAYLAND_DISPLAY") != nullptr;
  return !a.json && desktop && ::isatty(STDOUT_FILENO) == 1 && fs::exists(kOpener);
}

void report(const ReportArguments& a) {
  const fs::path run(a.run), html = run / "report.html";
  const Json content = eval::read_report(run);
  artifact::check_page(html, eval::kReportFooter);
  write_file_atomic(html, eval::render_html(content));
  const std::string text = a.json ? content.dump(2) + "\n" : eval::render_table(content);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  log_info(fmt::format("with intervals, charts and examples: {}", html.string()));
  if (shall_open(a)) pipeline::run_child({kOpener, fs::absolute(html).string()});
}

}  // namespace

void add_report_command(CLI::App& app) {
  auto a = std::make_shared<ReportArguments>();
  CLI::App* command =
      app.add_subcommand("report", "what each stage adds: a table here, and report.html");
  command->add_option("--run", a->run, "run directory")->required();
  command->add_option("--open", a->open, "open report.html in a browser")
      ->check(CLI::IsMember({"auto", "yes", "no"}))
      ->capture_default_str();
  command->add_flag("--json", a->json, "print report.json instead of the table");
  command->footer("Example:\n  podium report --run out/run --open no");
  command->callback([a] { report(*a); });
}

}  // namespace podium::cli
