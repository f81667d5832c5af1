#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/options.h"
#include "podium/cli/commands.h"
#include "podium/eval/text_table.h"

namespace podium::cli {
namespace {

struct SlatesArguments {
  std::string run, split = "test";
  int n = 5;
  bool positive = false, json = false;

  template <class V>
  void visit(V& v) {
    v("n", n, "slates shown", between(1, 1000000000));
  }
};

std::string name_of(const Json& item) {
  const auto id = item.at("item").get<std::string>();
  const std::string title = item.value("title", "");
  return eval::printable(title.empty() ? id : fmt::format("{} ({})", title, id));
}

std::string evidence_text(const Json& candidate) {
  std::string text;
  for (const auto& [kind, level] : candidate.at("evidence").items()) {
    if (level.get<int>() > 0) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kind, level.get<int>());
    }
  }
  return text;
}

std::string slate_text(const Json& slate) {
  std::string text = fmt::format("\n{}\n  history, newest last:\n",
                                 eval::printable(slate.at("id").get<std::string>()));
  for (const Json& item : slate.at("history")) text += fmt::format("    {}\n", name_of(item));
  eval::TextTable table({"", "label", "candidate, upstream's order", "score", "evidence"}, {2, 4});
  int rank = 0;
  for (const Json& candidate : slate.at("candidates")) {
    const int label = candidate.at("label").get<int>();
    table.add({std::to_string(++rank), label > 0 ? std::to_string(label) : "",
               eval::fit_width(name_of(candidate), 56),
               fmt::format("{:.3f}", candidate.at("score").get<double>()),
               evidence_text(candidate)});
  }
  return text + table.text(2);
}

bool has_positive(const Json& slate) {
  for (const Json& candidate : slate.at("candidates")) {
    if (candidate.at("label").get<int>() > 0) return true;
  }
  return false;
}

void show(SlatesArguments& a) {
  OptionList(a).check();
  const fs::path file =
      fs::path(a.run) / "stages" / "upstream" / "slates" / a.split / "slates.jsonl";
  std::ifstream in(file);
  if (!in) {
    throw Error(fmt::format("no slates of split '{}'", a.split),
                "use slates, valid or test, of a run that has reached `upstream`", file.string());
  }
  int shown = 0;
  for (std::string line; shown < a.n && std::getline(in, line);) {
    const Json slate = parse_json(line, file.string());
    if (a.positive && !has_positive(slate)) continue;
    ++shown;
    std::fputs((a.json ? slate.dump() + "\n" : slate_text(slate)).c_str(), stdout);
  }
}

}  // namespace

void add_slates_command(CLI::App& app) {
  CLI::App* slates = app.add_subcommand("slates", "the candidate lists that GR2 re-ranks");
  slates->require_subcommand(1);
  auto a = std::make_shared<SlatesArguments>();
  CLI::App* command = slates->add_subcommand(
      "show", "history, candidates in upstream's order, evidence and labels");
  command->add_option("--run", a->run, "run directory")->required();
  command->add_option("--split", a->split, "slates (the policy trains on these), valid or test")
      ->capture_default_str();
  OptionList(*a).add_flags(*command);
  command->add_flag("--positive", a->positive, "only slates that hold the item chosen");
  command->add_flag("--json", a->json, "print JSON lines");
  command->footer("Example:\n  podium slates show --run out/run --split valid --n 3 --positive");
  command->callback([a] { show(*a); });
  add_front_command(*slates);
}

}  // namespace podium::cli
