#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/cli/commands.h"
#include "podium/cli/request_stream.h"
#include "podium/eval/text_table.h"
#include "podium/serving/reasons.h"

namespace podium::cli {
namespace {

using serving::Answer;
using serving::AnswerItem;

struct RecommendArguments {
  std::string bundle, user;
  std::vector<std::string> history;
  std::vector<int64_t> times;
  std::optional<int64_t> time;
  int k = 10;
  int threads = 0;
  int deadline_ms = 0;  // 0: none
  bool explain = false, json = false, requests = false;

  template <class V>
  void visit(V& v) {
    v("k", k, "items", between(1, double(serving::kMostItems)));
    v("deadline_ms", deadline_ms,
      "answer after so many milliseconds with the best order so far; 0: never",
      between(0, serving::kMostDeadlineMs));
    v("threads", threads, "threads; 0: every core", between(0, kMostThreads));
  }
};

serving::Request request_of(const RecommendArguments& a) {
  serving::Request request{.user = a.user,
                           .history = a.history,
                           .times = a.times,
                           .time = a.time,
                           .candidates = {},
                           .k = size_t(a.k),
                           .explain = a.explain};
  if (a.deadline_ms > 0) {
    request.deadline = serving::Clock::now() + std::chrono::milliseconds(a.deadline_ms);
  }
  return request;
}

Json to_json(const RecommendArguments& a, const serving::Bundle& bundle, const Answer& answer) {
  Json items = Json::array();
  for (const AnswerItem& item : answer.items) {
    items.push_back(
        {{"item", item.id}, {"title", item.title}, {"upstream_rank", item.upstream_rank + 1}});
    if (!a.explain) continue;
    items.back()["reasons"] = serving::reasons(item.evidence);
    items.back()["sources"] = serving::sources(item, bundle);
  }
  Json json = Json::object();
  if (!a.user.empty()) json["user"] = a.user;
  json["items"] = std::move(items);
  json["valid"] = !answer.has(serving::degraded::kPolicyInvalid);
  if (!answer.explanation.empty()) json["explanation"] = answer.explanation;
  if (answer.unknown_history > 0) json["unknown_history"] = answer.unknown_history;
  if (!answer.degraded.empty()) json["degraded"] = answer.degraded;
  if (a.explain) {
    json["history"] = {{"events", answer.history}, {"shown_to_the_policy", answer.history_shown}};
    json["milliseconds"] = {{"retrieval", answer.took.retrieval},
                            {"ranking", answer.took.ranking},
                            {"policy", answer.took.policy}};
  }
  return json;
}

std::string to_text(const RecommendArguments& a, const Answer& answer) {
  std::vector<std::string> header = {"", "item", "title", "upstream"};
  if (a.explain) header.push_back("because");
  eval::TextTable table(header, {1, 2, 4});
  for (size_t r = 0; r < answer.items.size(); ++r) {
    const AnswerItem& item = answer.items[r];
    std::vector<std::string> row = {std::to_string(r + 1), item.id, eval::fit_width(item.title, 48),
                                    std::to_string(item.upstream_rank + 1)};
    if (a.explain)
      row.push_back(fmt::format("{}", fmt::join(serving::reasons(item.evidence), ", ")));
    table.add(std::move(row));
  }
  std::string text = table.text();
  if (!answer.explanation.empty()) {
    text += fmt::format("\nReasoning: {}\n", eval::printable(answer.explanation));
  }
  if (answer.unknown_history > 0) {
    text += fmt::format("\n{} items of the history are unknown to this bundle.\n",
                        answer.unknown_history);
  }
  if (!answer.degraded.empty()) {
    text += fmt::format("\nDegraded: {}.\n", fmt::join(answer.degraded, ", "));
  }
  return text;
}

void recommend(RecommendArguments& a) {
  OptionList(a).check();
  const serving::Recommender recommender(
      serving::Bundle::open(a.bundle, {.verify = true}), std::make_shared<serving::MemoryState>(),
      {.threads = a.threads > 0 ? a.threads : default_threads()});
  if (a.requests) {
    return answer_lines(recommender, {.kind = serving::RequestKind::kRecommend,
                                      .explain = a.explain,
                                      .deadline_ms = a.deadline_ms});
  }
  const Answer answer = recommender.answer(request_of(a));
  if (!a.history.empty() && answer.history == 0) {
    throw Error("the bundle knows no item of this history", "check the ids", a.bundle);
  }
  const std::string text = a.json ? to_json(a, recommender.bundle(), answer)
                                            .dump(2, ' ', false, Json::error_handler_t::replace) +
                                        "\n"
                                  : to_text(a, answer);
  std::fputs(text.c_str(), stdout);
}

}  // namespace

void add_recommend_command(CLI::App& app) {
  auto a = std::make_shared<RecommendArguments>();
  CLI::App* command = app.add_subcommand("recommend", "the best items for a user, with reasons");
  command->add_option("--bundle", a->bundle, "bundle directory: RUN/bundle")->required();
  CLI::Option* user = command->add_option("--user", a->user, "user id, as in the data");
  CLI::Option* history =
      command
          ->add_option("--history", a->history,
                       "instead of a user: item ids, oldest first, by commas; \"\" for none")
          ->delimiter(',')
          ->excludes(user);
  command->add_option("--times", a->times, "of the history's items: unix seconds, by commas")
      ->delimiter(',')
      ->needs(history);
  command->add_option("--time", a->time, "the moment asked for, unix seconds; default: now");
  command->add_flag("--explain", a->explain,
                    "let the reasoning policy answer, and show why (slower)");
  OptionList(*a).add_flags(*command);
  command->add_flag("--json", a->json, "print JSON");
  CLI::Option* requests = command->add_flag(
      "--requests", a->requests, "JSON requests on stdin instead, one a line, answered as such");
  requests->excludes(user)->excludes(history);
  command->footer(
      "Examples:\n"
      "  podium recommend --bundle out/run/bundle --user 196 --k 10 --explain\n"
      "  podium recommend --bundle out/run/bundle --history 50,181,174 --json\n"
      "  podium recommend --bundle out/run/bundle --requests < requests.jsonl\n"
      R"(with lines such as {"id": "q1", "user": "196", "k": 5}; fields: id, user or history (with)"
      "\ntimes), time, k, explain, deadline_ms.");
  command->callback([a, history] {
    // --history "": somebody new, of whom nothing is known.
    if (a->history == std::vector<std::string>{""}) a->history.clear();
    if (a->user.empty() && history->count() == 0 && !a->requests) {
      throw CLI::RequiredError("--user, --history or --requests");
    }
    recommend(*a);
  });
}

}  // namespace podium::cli
