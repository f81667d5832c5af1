#include "podium/cli/request_stream.h"

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <iostream>
#include <optional>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/progress.h"

namespace podium::cli {
namespace {

constexpr size_t kBatch = 64;  // lines answered together when they are there already

// A line on its way: an answer to wait for, or the answer to a bad line.
struct Pending {
  size_t line = 0;
  std::string id;
  std::optional<std::future<serving::Answer>> answer;
  std::string problem;
};

Pending submit(const serving::Recommender& recommender, const std::string& text, size_t line,
               const StreamOptions& options) {
  Pending pending{.line = line, .id = {}, .answer = {}, .problem = {}};
  auto parsed = serving::parse_request(text, line, options.kind);
  if (const auto* problem = std::get_if<serving::RequestProblem>(&parsed)) {
    pending.problem = serving::problem_line(*problem);
    return pending;
  }
  serving::ParsedRequest& read = std::get<serving::ParsedRequest>(parsed);
  read.request.explain = read.request.explain || options.explain;
  const int deadline = read.deadline_ms > 0 ? read.deadline_ms : options.deadline_ms;
  if (deadline > 0) {
    read.request.deadline = serving::Clock::now() + std::chrono::milliseconds(deadline);
  }
  pending.id = std::move(read.id);
  pending.answer = recommender.submit(read.request);
  return pending;
}

// The answer; none: the line's problem is told.
std::optional<std::string> answer_of(Pending& pending) {
  if (!pending.answer) return std::nullopt;
  try {
    return serving::answer_line(pending.id, pending.answer->get());
  } catch (const std::exception& error) {  // this line's, not the stream's
    pending.problem = serving::problem_line({pending.line, pending.id, "", error.what()});
    return std::nullopt;
  }
}

struct Written {
  size_t lines = 0, problems = 0;
};

void write_answers(std::vector<Pending>& batch, Written& written) {
  for (Pending& pending : batch) {
    const auto answer = answer_of(pending);
    std::cout << answer.value_or(pending.problem) << '\n';
    ++written.lines;
    written.problems += !answer;
  }
  std::cout.flush();
  if (!std::cout) throw Error("cannot write to standard output", "check where it goes");
  batch.clear();
}

}  // namespace

void answer_lines(const serving::Recommender& recommender, const StreamOptions& options) {
  std::vector<Pending> batch;
  Written written;
  std::string line;
  for (size_t number = 1; std::getline(std::cin, line) && !interrupted(); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    batch.push_back(submit(recommender, line, number, options));
    if (batch.size() >= kBatch || std::cin.rdbuf()->in_avail() <= 0) write_answers(batch, written);
  }
  write_answers(batch, written);
  if (recommender.invalid_answers() > 0) {
    log_warning(fmt::format("{} answers were no permutations; upstream's order was returned",
                            recommender.invalid_answers()));
  }
  if (written.problems > 0) {
    throw Error(
        fmt::format("{} of {} lines are answered by an error", written.problems, written.lines),
        "mend the lines that these answers name");
  }
}

}  // namespace podium::cli
