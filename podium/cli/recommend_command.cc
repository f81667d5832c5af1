#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/cli/commands.h"
#include "podium/eval/text_table.h"
#include "podium/rerank/evidence_teacher.h"
#include "podium/serving/serving.h"

namespace podium::cli {
namespace {

struct RecommendArguments {
  std::string bundle, user;
  std::vector<std::string> history;
  int k = 10;
  int threads = 0;
  bool explain = false, json = false;
};

serving::Served answer(const RecommendArguments& a, const serving::Serving& serving) {
  const data::Dataset& dataset = serving.dataset();
  if (a.k < 1) throw Error("--k must be at least 1", "10 is usual");
  if (!a.user.empty()) {
    const auto user = dataset.find_user(a.user);
    if (!user) {
      throw Error(fmt::format("no user '{}' in this bundle", a.user),
                  "check the id, or give --history ITEM,ITEM for somebody new", a.bundle);
    }
    return serving.recommend(serving.query_of(*user), size_t(a.k), a.explain);
  }
  std::vector<data::ItemIndex> history;
  for (const std::string& id : a.history) {
    const auto item = dataset.find_item(id);
    if (!item)
      throw Error(fmt::format("no item '{}' in this bundle", id), "check the id", a.bundle);
    history.push_back(*item);
  }
  std::vector<int64_t> times;
  return serving.recommend(serving.query_of(history, times), size_t(a.k), a.explain);
}

// The strongest three kinds of evidence, strongest first, as words.
std::vector<std::string> reasons(const rerank::Evidence& evidence) {
  std::vector<int> kinds;
  for (int kind = 0; kind < rerank::kEvidenceKinds; ++kind) {
    if (evidence[size_t(kind)] > 0) kinds.push_back(kind);
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [&](int a, int b) { return evidence[size_t(a)] > evidence[size_t(b)]; });
  kinds.resize(std::min<size_t>(3, kinds.size()));
  std::vector<std::string> words;
  for (const int kind : kinds) {
    words.emplace_back(rerank::evidence_phrase(rerank::EvidenceKind(kind)));
  }
  return words;
}

Json to_json(const RecommendArguments& a, const serving::Serving& serving,
             const serving::Served& served) {
  const data::Dataset& dataset = serving.dataset();
  Json items = Json::array();
  for (const serving::ServedItem& item : served.items) {
    items.push_back({{"item", dataset.item_id(item.item)},
                     {"title", dataset.title(item.item)},
                     {"upstream_rank", item.upstream_rank + 1}});
    if (a.explain) items.back()["reasons"] = reasons(item.evidence);
  }
  Json json = Json::object();
  if (!a.user.empty()) json["user"] = a.user;
  json["items"] = std::move(items);
  json["valid"] = served.valid;
  if (!served.explanation.empty()) json["explanation"] = served.explanation;
  return json;
}

std::string to_text(const RecommendArguments& a, const serving::Serving& serving,
                    const serving::Served& served) {
  const data::Dataset& dataset = serving.dataset();
  std::vector<std::string> header = {"", "item", "title", "upstream"};
  if (a.explain) header.push_back("because");
  eval::TextTable table(header, {1, 2, 4});
  for (size_t r = 0; r < served.items.size(); ++r) {
    const serving::ServedItem& item = served.items[r];
    std::vector<std::string> row = {std::to_string(r + 1), std::string(dataset.item_id(item.item)),
                                    eval::fit_width(dataset.title(item.item), 48),
                                    std::to_string(item.upstream_rank + 1)};
    if (a.explain) row.push_back(fmt::format("{}", fmt::join(reasons(item.evidence), ", ")));
    table.add(std::move(row));
  }
  std::string text = table.text();
  if (!served.explanation.empty()) {
    text += fmt::format("\nReasoning: {}\n", eval::printable(served.explanation));
  }
  if (!served.valid) text += "\nThe policy's answer was invalid; this is the upstream order.\n";
  return text;
}

void recommend(const RecommendArguments& a) {
  const auto serving =
      serving::Serving::open(a.bundle, a.threads > 0 ? a.threads : default_threads());
  const serving::Served served = answer(a, *serving);
  const std::string text =
      a.json ? to_json(a, *serving, served).dump(2) + "\n" : to_text(a, *serving, served);
  std::fputs(text.c_str(), stdout);
}

}  // namespace

void add_recommend_command(CLI::App& app) {
  auto a = std::make_shared<RecommendArguments>();
  CLI::App* command = app.add_subcommand("recommend", "the best items for a user, with reasons");
  command->add_option("--bundle", a->bundle, "bundle directory: RUN/bundle")->required();
  CLI::Option* user = command->add_option("--user", a->user, "user id, as in the data");
  command
      ->add_option("--history", a->history, "instead of a user: item ids, oldest first, by commas")
      ->delimiter(',')
      ->excludes(user);
  command->add_option("--k", a->k, "items")->capture_default_str();
  command->add_flag("--explain", a->explain,
                    "let the reasoning policy answer, and show why (slower)");
  command->add_option("--threads", a->threads, "threads; 0: every core");
  command->add_flag("--json", a->json, "print JSON");
  command->footer(
      "Examples:\n"
      "  podium recommend --bundle out/run/bundle --user 196 --k 10 --explain\n"
      "  podium recommend --bundle out/run/bundle --history 50,181,174 --json");
  command->callback([a] {
    if (a->user.empty() && a->history.empty()) {
      throw CLI::RequiredError("--user or --history");
    }
    recommend(*a);
  });
}

}  // namespace podium::cli
