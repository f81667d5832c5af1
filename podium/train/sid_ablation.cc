#include "podium/train/sid_ablation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/rerank/vocabulary.h"
#include "podium/runtime/engine.h"
#include "podium/sid/trie.h"
#include "podium/train/midtrain.h"
#include "podium/train/new_policy.h"

namespace podium::train {
namespace {

constexpr size_t kListed = 10;              // the k of R@k
constexpr std::string_view kSize = "pico";  // a row a minute: what counts is how the rows differ

std::vector<data::Target> some_targets(const data::Phase& phase, size_t most) {
  const size_t all = phase.targets.size(), count = std::min(all, most);
  std::vector<data::Target> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(phase.targets[i * all / count]);
  return chosen;
}

double recall(const data::Dataset& dataset, const std::vector<data::Target>& targets,
              const std::vector<std::vector<runtime::Retrieved>>& lists) {
  size_t found = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    const auto wanted = dataset.items_of(targets[i].user)[targets[i].position];
    const auto end = lists[i].begin() + std::ptrdiff_t(std::min(kListed, lists[i].size()));
    found += std::any_of(lists[i].begin(), end,
                         [&](const runtime::Retrieved& r) { return r.item == wanted; });
  }
  return double(found) / double(std::max<size_t>(1, targets.size()));
}

Json interval_of(const Json& seeds, const std::string& key) {
  std::vector<double> values;
  for (const Json& seed : seeds) {
    if (seed.contains(key)) values.push_back(seed.at(key).get<double>());
  }
  if (values.empty()) return nullptr;
  const SeedInterval interval = over_seeds(values);
  return {{"mean", interval.mean},
          {"low", interval.low},
          {"high", interval.high},
          {"seeds", values.size()}};
}

// Means over seeds, a level.
std::vector<double> level_means(const Json& seeds, const std::string& key) {
  std::vector<double> sum;
  for (const Json& seed : seeds) {
    const auto values = seed.at(key).get<std::vector<double>>();
    sum.resize(values.size());
    for (size_t i = 0; i < values.size(); ++i) sum[i] += values[i] / double(seeds.size());
  }
  return sum;
}

std::string cell(const Json& interval, double scale, int digits) {
  if (interval.is_null()) return "–";
  const auto number = [&](const char* key) {
    return fmt::format("{:.{}f}", interval.at(key).get<double>() * scale, digits);
  };
  if (interval.at("seeds") == 1) return number("mean");
  return fmt::format("{} [{}, {}]", number("mean"), number("low"), number("high"));
}

std::string levels_cell(const Json& values, double scale) {
  std::string text;
  for (const Json& value : values) {
    text += fmt::format("{}{:.0f}", text.empty() ? "" : " / ", value.get<double>() * scale);
  }
  return text;
}

}  // namespace

std::vector<AblationRow> ablation_rows(const AblationOptions& options, const sid::SidOptions& sid,
                                       const RqVaeOptions& rqvae) {
  AblationRow base{"base", sid, rqvae};
  base.sid.method = "rq-vae";
  base.sid.random_last_level = false;
  base.rqvae.kmeans_start = true;
  base.rqvae.ema = base.rqvae.reset_dead = base.rqvae.sinkhorn = false;
  base.rqvae.diversity = base.rqvae.contrastive = 0;
  const auto with = [&](AblationRow row, const std::vector<std::string>& parts) {
    row.name = "";
    for (const std::string& part : parts) {
      row.name += "+" + part;
      if (part == "ema") row.rqvae.ema = true;
      if (part == "random") row.sid.random_last_level = true;
      if (part == "contrastive") row.rqvae.contrastive = options.contrastive;
      if (part == "diversity") row.rqvae.diversity = options.diversity;
      if (part == "reset") row.rqvae.reset_dead = true;
      if (part == "sinkhorn") row.rqvae.sinkhorn = true;
    }
    return row;
  };
  std::vector<AblationRow> rows = {base};
  const std::vector<std::vector<std::string>> parts = {
      {"ema"},
      {"random"},
      {"contrastive"},
      {"diversity"},
      {"reset"},
      {"ema", "random"},
      {"ema", "contrastive"},
      {"ema", "random", "contrastive"},
      {"ema", "random", "contrastive", "diversity", "reset"},
      {"ema", "sinkhorn"}};
  for (const auto& some : parts) rows.push_back(with(base, some));
  rows.push_back({"rq-kmeans", sid, base.rqvae});
  rows.back().sid.method = "rq-kmeans";
  rows.back().sid.random_last_level = true;
  return rows;
}

double next_item_recall(const NextItemTask& task, const sid::SidTable& sids, const StageJob& job) {
  const data::Dataset& dataset = *task.phase.fit.dataset;
  const auto added = rerank::added_tokens(sids.levels, sids.codes_per_level);
  constexpr int kBytes = 256;
  const auto tokenizer =
      text::Tokenizer::train(rerank::prompt_phrases(), kBytes + int(added.size()), added);
  const rerank::Vocabulary vocabulary(tokenizer, sids.levels, sids.codes_per_level);
  rerank::PromptOptions prompt;
  prompt.text = false;
  const rerank::PromptContext context{tokenizer, vocabulary, sids, &dataset, prompt};
  MidtrainOptions options = task.midtrain;
  options.sequence_share = 1;
  options.caption_share = options.persona_share = 0;
  Qwen3 model = new_policy(rerank::model_spec(kSize, tokenizer.vocab()), vocabulary, job.seed);
  midtrain(model, MidtrainSource(context, task.phase.fit, options, job.seed), options, job);

  const std::vector<data::Target> targets = some_targets(task.phase, size_t(task.targets));
  std::vector<std::span<const data::ItemIndex>> histories;
  for (const data::Target& target : targets) {
    histories.push_back(dataset.items_of(target.user).first(target.position));
  }
  return recall(dataset, targets,
                engine_over(*model).retrieve(context, sid::SidTrie(sids), histories,
                                             {.beam = task.beam,
                                              .max_history = options.window - 1,
                                              .over_trie = options.codes_over == "trie"},
                                             job.threads));
}

SeedInterval over_seeds(const std::vector<double>& values) {
  // Student's t at 97.5 % for 1 to 9 degrees of freedom.
  constexpr double kT[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262};
  PODIUM_CHECK(!values.empty() && values.size() <= std::size(kT) + 1);
  const auto n = double(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  for (const double value : values) squares += (value - sum / n) * (value - sum / n);
  if (values.size() == 1) return {sum, sum, sum};
  const double half = kT[values.size() - 2] * std::sqrt(squares / (n - 1) / n);
  return {sum / n, sum / n - half, sum / n + half};
}

Json ablation_report(const std::vector<AblationRow>& rows, const Json& measured) {
  Json report = Json::array();
  for (const AblationRow& row : rows) {
    if (!measured.contains(row.name)) continue;
    const Json& seeds = measured.at(row.name);
    report.push_back({{"name", row.name},
                      {"uniqueness", interval_of(seeds, "uniqueness")},
                      {"usage", level_means(seeds, "usage")},
                      {"perplexity", level_means(seeds, "perplexity")},
                      {"recall10", interval_of(seeds, "recall10")},
                      {"seeds", seeds}});
  }
  return report;
}

std::string ablation_table(const Json& report) {
  std::string text =
      "| row | unique, % | codes used, %, by level | perplexity, by level | next item, R@10 |\n"
      "|---|---|---|---|---|\n";
  for (const Json& row : report) {
    text += fmt::format("| {} | {} | {} | {} | {} |\n", row.at("name").get<std::string>(),
                        cell(row.at("uniqueness"), 100, 2), levels_cell(row.at("usage"), 100),
                        levels_cell(row.at("perplexity"), 1), cell(row.at("recall10"), 1, 4));
  }
  return text;
}

}  // namespace podium::train
