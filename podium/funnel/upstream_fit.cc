#include "podium/funnel/upstream_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/base/rng.h"
#include "podium/eval/results.h"
#include "podium/funnel/fitted_phase.h"

namespace podium::funnel {
namespace {

constexpr size_t kChunk = 64;         // targets a piece of parallel work
constexpr size_t kListKept = 10;      // of a stage's result
constexpr size_t kFewestGroups = 40;  // so that each fold has some to learn and some to stop by

// body(t) for every target, in parallel, with progress.
template <class Body>
void for_targets(const UpstreamInputs& in, const std::string& label, size_t targets,
                 const Body& body) {
  Progress progress(label, targets, "targets");
  std::mutex reporting;
  parallel_for(in.threads, targets, kChunk, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) body(t);
    const std::lock_guard lock(reporting);
    progress.add(end - begin);
  });
}

// What a target teaches the ranker.
struct Group {
  std::vector<float> rows, labels;
};

// The candidates that the ranker learns to order: of its own order the positives and a sample of
// the others, of another order those that a slate would show.
std::vector<size_t> taught(const UpstreamInputs& in, const FittedPhase& fitted, size_t target,
                           const Candidates& c) {
  if (in.options.order != kRankerOrder || fitted.shown()) {
    std::vector<size_t> listed = fitted.arrange(c, std::vector<float>(c.gains.size(), 0.0F)).order;
    if (in.options.order != kRankerOrder) listed.resize(std::min(listed.size(), in.k));
    std::sort(listed.begin(), listed.end());
    return listed;
  }
  std::vector<size_t> positives, others;
  for (size_t i = 0; i < c.gains.size(); ++i) (c.gains[i] > 0 ? positives : others).push_back(i);
  const auto& [user, position] = fitted.phase().targets[target];
  Rng rng = Rng(in.seed).fork("negatives").fork((uint64_t(user) << 32) | position);
  rng.shuffle(std::span<size_t>(others));
  others.resize(std::min(others.size(), size_t(std::max(1, in.options.ranker.negatives))));
  others.insert(others.end(), positives.begin(), positives.end());
  std::sort(others.begin(), others.end());
  return others;
}

Group group_of(const UpstreamInputs& in, const FittedPhase& fitted, size_t target) {
  Group group;
  const Candidates c = fitted.candidates(target);
  if (!c.holds_positive()) return group;
  const size_t width = fitted.features().count();
  float positives = 0;
  for (const size_t i : taught(in, fitted, target, c)) {
    const auto row = c.described.rows.begin() + std::ptrdiff_t(i * width);
    group.rows.insert(group.rows.end(), row, row + std::ptrdiff_t(width));
    group.labels.push_back(c.gains[i]);
    positives += group.labels.back();
  }
  const bool tells = positives > 0 && positives < float(group.labels.size());
  return tells ? group : Group{};
}

struct TrainingSet {
  std::vector<Group> groups;  // by target; empty where the positive was not retrieved
  size_t width = 0;
};

TrainingSet training_set(const UpstreamInputs& in, const FittedPhase& fitted) {
  TrainingSet set{std::vector<Group>(fitted.phase().targets.size()), fitted.features().count()};
  for_targets(in, "candidates", set.groups.size(),
              [&](size_t t) { set.groups[t] = group_of(in, fitted, t); });
  return set;
}

// Throws Error with the cause when there is too little to learn from.
void check_training_set(const UpstreamInputs& in, const FittedPhase& fitted,
                        const TrainingSet& set) {
  const auto groups = size_t(std::count_if(set.groups.begin(), set.groups.end(),
                                           [](const Group& g) { return !g.labels.empty(); }));
  if (groups >= kFewestGroups) return;
  throw Error(
      fmt::format("only {} of {} training targets have their item among two candidates or more: "
                  "the catalogue has {} items, and {} targets are items that the user has seen",
                  groups, set.groups.size(), in.dataset->items(),
                  data::seen_targets(fitted.phase())),
      "the data set is too small to train a ranker, or retrieval finds too little");
}

// The groups of users outside `fold` (-1: all).
ranking::RankingData data_without(const TrainingSet& set, const data::Phase& phase, int fold,
                                  uint64_t seed) {
  ranking::RankingData data;
  data.features = set.width;
  for (size_t t = 0; t < set.groups.size(); ++t) {
    const Group& group = set.groups[t];
    if (group.labels.empty() || fold_of(phase.targets[t].user, seed) == fold) continue;
    data.rows.insert(data.rows.end(), group.rows.begin(), group.rows.end());
    data.labels.insert(data.labels.end(), group.labels.begin(), group.labels.end());
    data.groups.push_back(uint32_t(group.labels.size()));
    data.users.push_back(phase.targets[t].user);
    data.weights.push_back(phase.weight(t));
  }
  return data;
}

// What one phase's targets were answered.
struct Answers {
  std::vector<eval::StageResult> results;  // sources; the ranker, unless its is the order; upstream
  std::vector<rerank::Slate> slates;       // without evidence
  std::vector<float> rows;                 // [targets, k, features], 0 beyond a short slate
  std::vector<float> ranked;               // [targets, k], the ranker's scores
};

// An order of candidates as a stage's answer to a target.
void record(const Candidates& c, std::span<const size_t> order, size_t target,
            eval::StageResult& result) {
  for (size_t r = 0; r < order.size(); ++r) {
    const size_t i = order[r];
    if (c.gains[i] > 0 && result.rank[target] < 0) result.rank[target] = int32_t(r);
    if (r < kListKept) result.lists[target].push_back(c.described.candidates[i].item);
    if (!result.labels.empty()) result.labels[target].push_back(c.gains[i]);
  }
}

// The candidates as each source would order them.
void record_sources(const FittedPhase& fitted, const Candidates& c, size_t target,
                    std::span<eval::StageResult> results) {
  for (eval::StageResult& result : results) {
    const Arrangement own = fitted.shown()
                                ? arrange_given(result.stage, fitted.features(), c.described, {})
                                : arrange_found(result.stage, 0, fitted.sources(), c.described, {});
    record(c, own.order, target, result);
  }
}

rerank::Slate slate_of(const FittedPhase& fitted, const Candidates& c, size_t target) {
  rerank::Slate slate;
  slate.id = fitted.phase().slate_id(target);
  slate.weight = fitted.phase().weight(target);
  const auto kept = c.query.history.last(std::min(c.query.history.size(), kHistoryKept));
  slate.history.assign(kept.begin(), kept.end());
  return slate;
}

// What the ranker makes of the first k of somebody else's order.
std::vector<size_t> reordered(std::span<const size_t> order, std::span<const float> scores,
                              size_t k) {
  std::vector<size_t> ranked(order.begin(), order.end());
  std::stable_sort(ranked.begin(), ranked.begin() + std::ptrdiff_t(std::min(k, ranked.size())),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return ranked;
}

void answer_target(const UpstreamInputs& in, const FittedPhase& fitted,
                   const ranking::Ranker& ranker, size_t t, Answers& answers) {
  const size_t width = fitted.features().count();
  const Candidates c = fitted.candidates(t);
  const auto scores = ranker.predict(c.described.rows.data(), c.gains.size(), width);
  const Arrangement arrangement = fitted.arrange(c, scores);
  const bool foreign = in.options.order != kRankerOrder;
  const std::span<eval::StageResult> results = answers.results;
  record_sources(fitted, c, t, results.first(results.size() - (foreign ? 2 : 1)));
  if (foreign) {
    record(c, reordered(arrangement.order, scores, in.k), t, results[results.size() - 2]);
  }
  record(c, arrangement.order, t, results.back());
  if (fitted.phase().by_baskets()) {
    const size_t wanted = fitted.phase().answers(t).size();
    for (eval::StageResult& result : results) {
      eval::close_basket(std::max(in.k, kListKept), wanted, result.labels[t]);
    }
  }
  rerank::Slate& slate = answers.slates[t] = slate_of(fitted, c, t);
  for (size_t r = 0; r < std::min(in.k, arrangement.order.size()); ++r) {
    const size_t i = arrangement.order[r];
    slate.candidates.push_back({.item = c.described.candidates[i].item,
                                .upstream_score = arrangement.score[r],
                                .gain = c.gains[i]});
    std::copy_n(&c.described.rows[i * width], width, &answers.rows[(t * in.k + r) * width]);
    answers.ranked[t * in.k + r] = scores[i];
  }
}

// The stages whose results are told: sources that can order what the phase asks of, "trees"
// where the order is another's, "upstream".
std::vector<std::string> stages_of(const UpstreamInputs& in, const FittedPhase& fitted) {
  std::vector<std::string> names;
  for (const retrieval::Retriever* source : fitted.sources().all()) {
    if (!fitted.shown() || column_of_source(source->name())) names.emplace_back(source->name());
  }
  if (in.options.order != kRankerOrder) names.emplace_back("trees");
  names.emplace_back("upstream");
  return names;
}

// ranker_of(fold): the ranker that orders a user of that fold.
template <class RankerOf>
Answers answer(const UpstreamInputs& in, const FittedPhase& fitted, const RankerOf& ranker_of) {
  const size_t targets = fitted.phase().targets.size();
  Answers answers;
  for (std::string& stage : stages_of(in, fitted)) {
    eval::StageResult& result = answers.results.emplace_back();
    result.stage = std::move(stage);
    result.rank.assign(targets, -1);
    result.lists.resize(targets);
    if (fitted.shown() || fitted.phase().by_baskets()) result.labels.resize(targets);
  }
  answers.slates.resize(targets);
  answers.rows.assign(targets * in.k * fitted.features().count(), 0);
  answers.ranked.assign(targets * in.k, 0);
  for_targets(in, "answers, phase " + fitted.phase().name, targets, [&](size_t t) {
    answer_target(in, fitted, ranker_of(fold_of(fitted.phase().targets[t].user, in.seed)), t,
                  answers);
  });
  return answers;
}

// The features of every answered candidate, and its score after them.
std::vector<float> scored_rows(const UpstreamInputs& in, const FittedPhase& fitted,
                               const Answers& answers) {
  const size_t width = fitted.features().count();
  std::vector<float> rows;
  for (size_t t = 0; t < answers.slates.size(); ++t) {
    const auto& candidates = answers.slates[t].candidates;
    for (size_t r = 0; r < candidates.size(); ++r) {
      const float* row = &answers.rows[(t * in.k + r) * width];
      rows.insert(rows.end(), row, row + width);
      rows.push_back(answers.ranked[t * in.k + r]);
    }
  }
  return rows;
}

void write_answers(const UpstreamInputs& in, const FittedPhase& fitted, Answers& answers,
                   const Description& description, const fs::path& dir) {
  const size_t width = fitted.features().count();
  for (size_t t = 0; t < answers.slates.size(); ++t) {
    auto& candidates = answers.slates[t].candidates;
    for (size_t r = 0; r < candidates.size(); ++r) {
      description.tell(fitted.features(), &answers.rows[(t * in.k + r) * width],
                       answers.ranked[t * in.k + r], candidates[r]);
    }
  }
  const std::string& name = fitted.phase().name;
  std::vector<rerank::Slate> whole;
  for (const rerank::Slate& slate : answers.slates) {
    if (slate.candidates.size() >= rerank::kMinCandidates) whole.push_back(slate);
  }
  rerank::write_slates(dir / "slates" / name, *in.dataset, whole);
  if (name != "slates") {
    eval::write_results(dir / (name + ".json"), eval::target_set(fitted.phase()), answers.results);
  }
}

double recall(const eval::StageResult& result, int at) {
  const auto hits = std::count_if(result.rank.begin(), result.rank.end(),
                                  [&](int32_t rank) { return rank >= 0 && rank < at; });
  return result.rank.empty() ? 0 : double(hits) / double(result.rank.size());
}

Json summary_of(const FittedPhase& fitted, const Answers& answers) {
  const size_t targets = fitted.phase().targets.size();
  const auto few = std::count_if(
      answers.slates.begin(), answers.slates.end(),
      [](const auto& slate) { return slate.candidates.size() < rerank::kMinCandidates; });
  if (few > 0) {
    log_warning(fmt::format("phase {}: {} of {} targets have fewer than two candidates: no slate",
                            fitted.phase().name, few, targets));
  }
  Json json = {{"targets", targets},
               {"targets_seen", data::seen_targets(fitted.phase())},
               {"too_few_candidates", few},
               {"blend_recall", recall(answers.results.back(), INT32_MAX)}};
  for (const auto& result : answers.results) json["R@10"][result.stage] = recall(result, 10);
  return json;
}

Json gains_of(const ranking::Ranker& ranker, const std::vector<std::string>& names) {
  Json json = Json::object();
  for (const auto& [feature, gain] : ranker.gains()) {
    json[names.at(std::stoul(feature.substr(1)))] = gain;
  }
  return json;
}

// Targets that the rule for seen items puts out of reach are told; nothing to train on is an error.
void check_seen(const data::Phase& phase, const retrieval::SourceOptions& options) {
  if (retrieval::parse_seen_rule(options.seen) != retrieval::SeenRule::kExclude) return;
  const size_t seen = data::seen_targets(phase), all = phase.targets.size();
  if (seen == 0) return;
  const std::string what = fmt::format(
      "{} of {} targets of phase {} are items that the user has seen, which --seen exclude never "
      "recommends",
      seen, all, phase.name);
  if (seen == all)
    throw Error(what, "use --seen decay (or allow) for a shop whose users buy again");
  log_info(what);
}

// The slates phase: trains the rankers (without fold 0, without fold 1, on all), measures how
// candidates are to be described, and writes the training slates.
std::vector<ranking::Ranker> fit_rankers(const UpstreamInputs& in, const FittedPhase& fitted,
                                         const fs::path& dir, Description& description,
                                         Json& summary) {
  const TrainingSet set = training_set(in, fitted);
  check_training_set(in, fitted, set);
  std::vector<ranking::Ranker> rankers;
  for (const int fold : {0, 1, -1}) {
    const auto data = data_without(set, fitted.phase(), fold, in.seed);
    log_info(fmt::format("ranker {}: {} groups, {} candidates",
                         fold < 0 ? std::string("for serving") : fmt::format("of fold {}", fold),
                         data.groups.size(), data.labels.size()));
    rankers.push_back(ranking::Ranker::train(data, fitted.features().names(), in.options.ranker,
                                             in.seed, in.threads));
  }
  Answers answers =
      answer(in, fitted, [&](int fold) -> const ranking::Ranker& { return rankers[size_t(fold)]; });
  description = {
      EvidenceLevels::fit(fitted.features(), answers.rows),
      FeatureScale::fit(scored_rows(in, fitted, answers), fitted.features().count() + 1)};
  write_answers(in, fitted, answers, description, dir);
  summary["slates"] = summary_of(fitted, answers);
  summary["gain"] = gains_of(rankers.back(), fitted.features().names());
  return rankers;
}

}  // namespace

int fold_of(data::UserIndex user, uint64_t seed) {
  return int(Rng(seed).fork("folds").fork(user).next() & 1);
}

void fit_upstream(const UpstreamInputs& in, const fs::path& dir) {
  if (in.options.order == kShownOrder && !in.split->test.impressions) {
    throw Error("upstream.order is shown, but the split asks for events, not for slates",
                "use split.protocol impressions");
  }
  for (const data::Phase* phase : {&in.split->slates, &in.split->valid, &in.split->test}) {
    if (!phase->impressions) check_seen(*phase, in.options.sources);
  }
  fs::create_directories(dir);
  Json summary = Json::object();
  Description description;
  const auto content = std::make_shared<const retrieval::Content>(in.item_vectors, in.dim);
  std::vector<ranking::Ranker> rankers =
      fit_rankers(in, {in, in.split->slates, in.slates, content}, dir, description, summary);
  ranking::Ranker& ranker = rankers.back();
  const auto write_phase = [&](const FittedPhase& fitted) {
    Answers answers = answer(in, fitted, [&](int) -> const ranking::Ranker& { return ranker; });
    write_answers(in, fitted, answers, description, dir);
    summary[fitted.phase().name] = summary_of(fitted, answers);
  };
  write_phase(FittedPhase(in, in.split->valid, in.valid, content));
  FittedPhase last(in, in.split->test, in.test, content);
  write_phase(last);
  Upstream(*in.dataset, last.take_sources(), std::move(ranker), std::move(description), in.options)
      .save(dir / "serving");
  write_json_atomic(dir / "upstream.json", summary);
}

std::vector<rerank::Slate> slates_by_target(const fs::path& dir, const data::Phase& phase) {
  std::unordered_map<std::string, size_t> place;
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    place[phase.slate_id(t)] = t;
  }
  std::vector<rerank::Slate> slates(phase.targets.size());
  for (rerank::Slate& slate : rerank::read_slates(dir)) {
    const auto found = place.find(slate.id);
    if (found == place.end()) {
      throw Error(fmt::format("slate {} belongs to no target of this data set", slate.id),
                  "run the upstream stage again", dir.string());
    }
    slates[found->second] = std::move(slate);
  }
  return slates;
}

}  // namespace podium::funnel
