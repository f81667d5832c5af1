#include <memory>
#include <string>

#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/cli/commands.h"
#include "podium/cli/request_stream.h"

namespace podium::cli {
namespace {

struct RerankArguments {
  std::string bundle;
  bool trace = false;
  int threads = 0;
  int deadline_ms = 0;  // 0: none

  template <class V>
  void visit(V& v) {
    v("threads", threads, "threads; 0: every core", between(0, kMostThreads));
    v("deadline_ms", deadline_ms,
      "answer after so many milliseconds with the best order so far; 0: never",
      between(0, serving::kMostDeadlineMs));
  }
};

void rerank_lines(RerankArguments& a) {
  OptionList(a).check();
  const serving::Recommender recommender(
      serving::Bundle::open(a.bundle, {.verify = true}), std::make_shared<serving::MemoryState>(),
      {.threads = a.threads > 0 ? a.threads : default_threads()});
  answer_lines(
      recommender,
      {.kind = serving::RequestKind::kRerank, .explain = a.trace, .deadline_ms = a.deadline_ms});
}

}  // namespace

void add_rerank_command(CLI::App& app) {
  auto a = std::make_shared<RerankArguments>();
  CLI::App* command = app.add_subcommand(
      "rerank", "re-rank your own candidates: JSON slates on stdin, ranked JSON on stdout");
  command->add_option("--bundle", a->bundle, "bundle directory: RUN/bundle")->required();
  command->add_flag("--trace", a->trace, "let the reasoning policy answer, with its trace");
  OptionList(*a).add_flags(*command);
  command->footer(
      "One slate a line, answered in the order given; a bad line is answered by its error, and the "
      "exit\n"
      "code is then 1:\n"
      R"(  {"id": "q1", "history": ["50", "181"], "candidates": ["174", "100", "258"]})"
      "\n"
      R"(  {"id": "q2", "candidates": [{"item": "174", "score": 0.3}, {"item": "1", "score": 2}]})"
      "\n"
      R"(-> {"id":"q1","ranking":["100","174","258"],"valid":true})"
      "\n"
      "Fields: id, candidates; user or history (with times, unix seconds); time (of the request;\n"
      "absent: now), explain, deadline_ms. Candidates and history items that the bundle does not\n"
      "know are counted in the answer; such a candidate keeps its place.");
  command->callback([a] { rerank_lines(*a); });
}

}  // namespace podium::cli
