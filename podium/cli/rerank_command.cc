#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <variant>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/cli/commands.h"
#include "podium/cli/rerank_json.h"
#include "podium/serving/serving.h"

namespace podium::cli {
namespace {

constexpr size_t kBatch = 64;  // lines answered together when they are there already

struct RerankArguments {
  std::string bundle;
  int threads = 0;
  bool trace = false;
  int deadline_ms = 0;  // 0: none
};

// One input line: a slate waiting for its answer, or the answer to a bad line.
struct Pending {
  SlateRequest request;
  std::optional<rerank::Slate> slate;
  std::string problem;
};

Pending read_request(const std::string& line, size_t number, const data::Dataset& dataset) {
  Pending pending;
  auto parsed = parse_slate_line(line, number);
  if (auto* problem = std::get_if<SlateProblem>(&parsed)) {
    pending.problem = problem_line(*problem);
    return pending;
  }
  pending.request = std::move(std::get<SlateRequest>(parsed));
  auto slate =
      to_slate(pending.request, [&](std::string_view id) { return dataset.find_item(id); });
  if (auto* problem = std::get_if<SlateProblem>(&slate)) {
    pending.problem = problem_line(*problem);
  } else {
    pending.slate = std::move(std::get<rerank::Slate>(slate));
  }
  return pending;
}

std::string answer_line(const Pending& pending, const serving::Served& served) {
  std::vector<int> order;
  if (served.valid) {
    for (const serving::ServedItem& item : served.items) order.push_back(item.upstream_rank);
  }
  return ranking_line(pending.request, order, served.late, served.explanation);
}

void answer(const serving::Serving& serving, const std::vector<Pending>& batch,
            const RerankArguments& a) {
  using runtime::Clock;
  const auto deadline = a.deadline_ms > 0 ? Clock::now() + std::chrono::milliseconds(a.deadline_ms)
                                          : Clock::time_point::max();
  std::vector<rerank::Slate> slates;
  for (const Pending& pending : batch) {
    if (pending.slate) slates.push_back(*pending.slate);
  }
  const std::vector<serving::Served> served =
      slates.empty() ? std::vector<serving::Served>{} : serving.rerank(slates, a.trace, deadline);
  size_t next = 0;
  for (const Pending& pending : batch) {
    std::cout << (pending.slate ? answer_line(pending, served[next++]) : pending.problem) << '\n';
  }
  std::cout.flush();
}

// Answers as soon as no further line is waiting, so that a program may talk line by line.
void rerank_lines(const RerankArguments& a) {
  const auto serving =
      serving::Serving::open(a.bundle, a.threads > 0 ? a.threads : default_threads());
  std::vector<Pending> batch;
  std::string line;
  for (size_t number = 1; std::getline(std::cin, line) && !interrupted(); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    batch.push_back(read_request(line, number, serving->dataset()));
    if (batch.size() < kBatch && std::cin.rdbuf()->in_avail() > 0) continue;
    answer(*serving, batch, a);
    batch.clear();
  }
  answer(*serving, batch, a);
  if (!std::cout) throw Error("cannot write to standard output", "check where it goes");
  if (serving->invalid_answers() > 0) {
    log_warning(fmt::format("{} answers were no permutations; upstream's order was returned",
                            serving->invalid_answers()));
  }
}

}  // namespace

void add_rerank_command(CLI::App& app) {
  auto a = std::make_shared<RerankArguments>();
  CLI::App* command = app.add_subcommand(
      "rerank", "re-rank your own candidates: JSON slates on stdin, ranked JSON on stdout");
  command->add_option("--bundle", a->bundle, "bundle directory: RUN/bundle")->required();
  command->add_flag("--trace", a->trace, "let the reasoning policy answer, with its trace");
  command->add_option("--threads", a->threads, "threads; 0: every core");
  command->add_option("--deadline-ms", a->deadline_ms,
                      "answer after so many milliseconds with the best order so far; 0: never");
  command->footer(
      "One slate a line, answered in the order given; a bad line is answered by its error:\n"
      R"(  {"id": "q1", "history": ["50", "181"], "candidates": ["174", "100", "258"]})"
      "\n"
      R"(  {"id": "q2", "candidates": [{"item": "174", "score": 0.3}, {"item": "1", "score": 2}]})"
      "\n"
      R"(-> {"id":"q1","ranking":["100","174","258"],"valid":true})");
  command->callback([a] { rerank_lines(*a); });
}

}  // namespace podium::cli
