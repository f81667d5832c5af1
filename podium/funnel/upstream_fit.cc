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

namespace podium::funnel {
namespace {

constexpr size_t kChunk = 64;         // targets a piece of parallel work
constexpr size_t kListKept = 10;      // of a stage's result
constexpr size_t kFewestGroups = 40;  // so that each fold has some to learn and some to stop by

using data::Target;
using retrieval::Blended;
using retrieval::Query;

// A phase with the sources that know no more than it may.
struct Fitted {
  const data::Phase& phase;
  retrieval::Sources sources;
  ranking::Features features;

  Fitted(const UpstreamInputs& in, const data::Phase& p, const SequenceModels& models)
      : phase(p),
        sources(retrieval::fit_sources(
            {&p.fit, in.item_vectors, in.dim, models.sasrec, models.hstu}, in.options.sources)),
        features(*in.dataset, sources) {}
};

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

Query query_of(const data::Dataset& dataset, const Target& target) {
  const auto times = dataset.times_of(target.user);
  return {dataset.items_of(target.user).first(target.position), times.first(target.position),
          times[target.position]};
}

std::string slate_id(const data::Dataset& dataset, const Target& target) {
  return fmt::format("{}@{}", dataset.user_id(target.user), target.position);
}

data::ItemIndex answer_of(const data::Dataset& dataset, const Target& target) {
  return dataset.items_of(target.user)[target.position];
}

// One target's candidates with their features.
struct Candidates {
  std::vector<Blended> blended;
  std::vector<float> rows;
  int answer = -1;  // position of the target's item, -1: not among them
};

Candidates candidates_of(const UpstreamInputs& in, const Fitted& fitted, const Target& target) {
  Candidates c;
  const Query query = query_of(*in.dataset, target);
  c.blended = retrieval::blend(fitted.sources, query, in.options.blend);
  c.rows.resize(c.blended.size() * fitted.features.count());
  fitted.features.compute(query, c.blended, c.rows.data());
  const data::ItemIndex answer = answer_of(*in.dataset, target);
  for (size_t i = 0; i < c.blended.size(); ++i) {
    if (c.blended[i].item == answer) c.answer = int(i);
  }
  return c;
}

// The training group of a target: the positive and a sample of the other candidates.
struct Group {
  std::vector<float> rows, labels;
};

Group group_of(const UpstreamInputs& in, const Fitted& fitted, const Target& target) {
  Group group;
  const Candidates c = candidates_of(in, fitted, target);
  if (c.answer < 0 || c.blended.size() < 2) return group;  // nothing to tell apart
  std::vector<size_t> others;
  for (size_t i = 0; i < c.blended.size(); ++i) {
    if (int(i) != c.answer) others.push_back(i);
  }
  Rng rng = Rng(in.seed).fork("negatives").fork((uint64_t(target.user) << 32) | target.position);
  rng.shuffle(std::span<size_t>(others));
  others.resize(std::min(others.size(), size_t(std::max(1, in.options.ranker.negatives))));
  others.push_back(size_t(c.answer));
  std::sort(others.begin(), others.end());
  const size_t width = fitted.features.count();
  for (const size_t i : others) {
    group.rows.insert(group.rows.end(), c.rows.begin() + std::ptrdiff_t(i * width),
                      c.rows.begin() + std::ptrdiff_t((i + 1) * width));
    group.labels.push_back(int(i) == c.answer ? 1.0F : 0.0F);
  }
  return group;
}

struct TrainingSet {
  std::vector<Group> groups;  // by target; empty where the positive was not retrieved
  size_t width = 0;
};

TrainingSet training_set(const UpstreamInputs& in, const Fitted& fitted) {
  TrainingSet set{std::vector<Group>(fitted.phase.targets.size()), fitted.features.count()};
  for_targets(in, "candidates", set.groups.size(),
              [&](size_t t) { set.groups[t] = group_of(in, fitted, fitted.phase.targets[t]); });
  return set;
}

// Throws Error with the cause when there is too little to learn from.
void check_training_set(const UpstreamInputs& in, const Fitted& fitted, const TrainingSet& set) {
  const auto groups = size_t(std::count_if(set.groups.begin(), set.groups.end(),
                                           [](const Group& g) { return !g.labels.empty(); }));
  if (groups >= kFewestGroups) return;
  throw Error(
      fmt::format("only {} of {} training targets have their item among two candidates or more: "
                  "the catalogue has {} items, and {} targets are items that the user has seen",
                  groups, set.groups.size(), in.dataset->items(), data::seen_targets(fitted.phase)),
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
  }
  return data;
}

// What one phase's targets were answered.
struct Answers {
  std::vector<eval::StageResult> results;  // sources, then upstream
  std::vector<rerank::Slate> slates;       // without evidence
  std::vector<float> rows;                 // [targets, k, features], 0 beyond a short slate
};

void record_sources(const Candidates& c, size_t target, std::vector<eval::StageResult>& results) {
  for (size_t s = 0; s + 1 < results.size(); ++s) {
    auto& list = results[s].lists[target];
    list.resize(kListKept);
    size_t filled = 0;
    for (const Blended& candidate : c.blended) {
      const int rank = candidate.rank[s];
      if (rank < 0 || size_t(rank) >= kListKept) continue;
      list[size_t(rank)] = candidate.item;
      filled = std::max(filled, size_t(rank) + 1);
    }
    list.resize(filled);
    results[s].rank[target] = c.answer < 0 ? -1 : c.blended[size_t(c.answer)].rank[s];
  }
}

rerank::Slate slate_of(const UpstreamInputs& in, const Target& target) {
  rerank::Slate slate;
  slate.id = slate_id(*in.dataset, target);
  const auto history = in.dataset->items_of(target.user).first(target.position);
  const auto kept = history.last(std::min(history.size(), kHistoryKept));
  slate.history.assign(kept.begin(), kept.end());
  return slate;
}

void answer_target(const UpstreamInputs& in, const Fitted& fitted, const ranking::Ranker& ranker,
                   size_t t, Answers& answers) {
  const Target& target = fitted.phase.targets[t];
  const size_t width = fitted.features.count();
  const Candidates c = candidates_of(in, fitted, target);
  record_sources(c, t, answers.results);
  const auto scores = ranker.predict(c.rows.data(), c.blended.size(), width);
  const std::vector<size_t> order = order_by(scores);
  rerank::Slate& slate = answers.slates[t] = slate_of(in, target);
  eval::StageResult& upstream = answers.results.back();
  for (size_t r = 0; r < order.size(); ++r) {
    const size_t i = order[r];
    if (int(i) == c.answer) upstream.rank[t] = int32_t(r);
    if (r < kListKept) upstream.lists[t].push_back(c.blended[i].item);
    if (r >= in.k) continue;
    slate.candidates.push_back({c.blended[i].item, scores[i], {}, uint8_t(int(i) == c.answer)});
    std::copy_n(&c.rows[i * width], width, &answers.rows[(t * in.k + r) * width]);
  }
}

// ranker_of(fold): the ranker that orders a user of that fold.
template <class RankerOf>
Answers answer(const UpstreamInputs& in, const Fitted& fitted, const RankerOf& ranker_of) {
  const size_t targets = fitted.phase.targets.size();
  Answers answers;
  answers.results.resize(fitted.sources.all().size() + 1);
  for (size_t s = 0; s < answers.results.size(); ++s) {
    eval::StageResult& result = answers.results[s];
    const bool last = s + 1 == answers.results.size();
    result.stage = last ? "upstream" : fitted.sources.all()[s]->name();
    result.rank.assign(targets, -1);
    result.lists.resize(targets);
  }
  answers.slates.resize(targets);
  answers.rows.assign(targets * in.k * fitted.features.count(), 0);
  for_targets(in, "answers, phase " + fitted.phase.name, targets, [&](size_t t) {
    answer_target(in, fitted, ranker_of(fold_of(fitted.phase.targets[t].user, in.seed)), t,
                  answers);
  });
  return answers;
}

// The features of every answered candidate, and its score after them.
std::vector<float> scored_rows(const UpstreamInputs& in, const Fitted& fitted,
                               const Answers& answers) {
  const size_t width = fitted.features.count();
  std::vector<float> rows;
  for (size_t t = 0; t < answers.slates.size(); ++t) {
    const auto& candidates = answers.slates[t].candidates;
    for (size_t r = 0; r < candidates.size(); ++r) {
      const float* row = &answers.rows[(t * in.k + r) * width];
      rows.insert(rows.end(), row, row + width);
      rows.push_back(candidates[r].upstream_score);
    }
  }
  return rows;
}

void write_answers(const UpstreamInputs& in, const Fitted& fitted, Answers& answers,
                   const Description& description, const fs::path& dir) {
  const size_t width = fitted.features.count();
  for (size_t t = 0; t < answers.slates.size(); ++t) {
    auto& candidates = answers.slates[t].candidates;
    for (size_t r = 0; r < candidates.size(); ++r) {
      description.tell(fitted.features, &answers.rows[(t * in.k + r) * width],
                       candidates[r].upstream_score, candidates[r]);
    }
  }
  const std::string& name = fitted.phase.name;
  std::vector<rerank::Slate> whole;
  for (const rerank::Slate& slate : answers.slates) {
    if (slate.candidates.size() >= rerank::kMinCandidates) whole.push_back(slate);
  }
  rerank::write_slates(dir / "slates" / name, *in.dataset, whole);
  if (name != "slates") {
    eval::write_results(dir / (name + ".json"), eval::target_set(fitted.phase), answers.results);
  }
}

double recall(const eval::StageResult& result, int at) {
  const auto hits = std::count_if(result.rank.begin(), result.rank.end(),
                                  [&](int32_t rank) { return rank >= 0 && rank < at; });
  return result.rank.empty() ? 0 : double(hits) / double(result.rank.size());
}

Json summary_of(const Fitted& fitted, const Answers& answers) {
  const size_t targets = fitted.phase.targets.size();
  const auto few = std::count_if(
      answers.slates.begin(), answers.slates.end(),
      [](const auto& slate) { return slate.candidates.size() < rerank::kMinCandidates; });
  if (few > 0) {
    log_warning(fmt::format("phase {}: {} of {} targets have fewer than two candidates: no slate",
                            fitted.phase.name, few, targets));
  }
  Json json = {{"targets", targets},
               {"targets_seen", data::seen_targets(fitted.phase)},
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
std::vector<ranking::Ranker> fit_rankers(const UpstreamInputs& in, const fs::path& dir,
                                         Description& description, Json& summary) {
  const Fitted fitted(in, in.split->slates, in.slates);
  const TrainingSet set = training_set(in, fitted);
  check_training_set(in, fitted, set);
  std::vector<ranking::Ranker> rankers;
  for (const int fold : {0, 1, -1}) {
    const auto data = data_without(set, fitted.phase, fold, in.seed);
    log_info(fmt::format("ranker {}: {} groups, {} candidates",
                         fold < 0 ? std::string("for serving") : fmt::format("of fold {}", fold),
                         data.groups.size(), data.labels.size()));
    rankers.push_back(ranking::Ranker::train(data, fitted.features.names(), in.options.ranker,
                                             in.seed, in.threads));
  }
  Answers answers =
      answer(in, fitted, [&](int fold) -> const ranking::Ranker& { return rankers[size_t(fold)]; });
  description = {EvidenceLevels::fit(fitted.features, answers.rows),
                 FeatureScale::fit(scored_rows(in, fitted, answers), fitted.features.count() + 1)};
  write_answers(in, fitted, answers, description, dir);
  summary["slates"] = summary_of(fitted, answers);
  summary["gain"] = gains_of(rankers.back(), fitted.features.names());
  return rankers;
}

}  // namespace

int fold_of(data::UserIndex user, uint64_t seed) {
  return int(Rng(seed).fork("folds").fork(user).next() & 1);
}

void fit_upstream(const UpstreamInputs& in, const fs::path& dir) {
  for (const data::Phase* phase : {&in.split->slates, &in.split->valid, &in.split->test}) {
    check_seen(*phase, in.options.sources);
  }
  fs::create_directories(dir);
  Json summary = Json::object();
  Description description;
  std::vector<ranking::Ranker> rankers = fit_rankers(in, dir, description, summary);
  ranking::Ranker& ranker = rankers.back();
  const auto write_phase = [&](const Fitted& fitted) {
    Answers answers = answer(in, fitted, [&](int) -> const ranking::Ranker& { return ranker; });
    write_answers(in, fitted, answers, description, dir);
    summary[fitted.phase.name] = summary_of(fitted, answers);
  };
  write_phase(Fitted(in, in.split->valid, in.valid));
  Fitted last(in, in.split->test, in.test);
  write_phase(last);
  Upstream(*in.dataset, std::move(last.sources), std::move(ranker), std::move(description),
           in.options)
      .save(dir / "serving");
  write_json_atomic(dir / "upstream.json", summary);
}

std::vector<rerank::Slate> slates_by_target(const fs::path& dir, const data::Dataset& dataset,
                                            const data::Phase& phase) {
  std::unordered_map<std::string, size_t> place;
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    place[slate_id(dataset, phase.targets[t])] = t;
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
