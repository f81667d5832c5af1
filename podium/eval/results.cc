#include "podium/eval/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/json.h"

namespace podium::eval {
namespace {

constexpr int kResultsVersion = 1;

int64_t day_of(int64_t time) {
  constexpr int64_t kDay = 86400;
  return time >= 0 ? time / kDay : -((-time + kDay - 1) / kDay);
}

std::vector<ItemGroup> group_items(const std::vector<uint32_t>& popularity) {
  std::vector<uint32_t> known;
  for (uint32_t i = 0; i < popularity.size(); ++i) {
    if (popularity[i] > 0) known.push_back(i);
  }
  std::stable_sort(known.begin(), known.end(),
                   [&](uint32_t a, uint32_t b) { return popularity[a] > popularity[b]; });
  std::vector<ItemGroup> groups(popularity.size(), ItemGroup::kTail);
  for (size_t r = 0; r < known.size() / 5; ++r) groups[known[r]] = ItemGroup::kHead;
  for (size_t i = 0; i < popularity.size(); ++i) {
    if (popularity[i] < kColdBelow) groups[i] = ItemGroup::kCold;
  }
  return groups;
}

Json targets_json(const TargetSet& set) {
  Json user = Json::array(), history = Json::array(), same_day = Json::array(),
       group = Json::array(), weight = Json::array();
  for (const TargetInfo& t : set.targets) {
    user.push_back(t.user);
    history.push_back(t.history);
    same_day.push_back(t.same_day ? 1 : 0);
    group.push_back(int(t.group));
    weight.push_back(t.weight);
  }
  Json json = {{"user", user}, {"history", history}, {"same_day", same_day}, {"group", group}};
  const bool weighed =
      std::ranges::any_of(set.targets, [](const auto& t) { return t.weight != 1; });
  if (weighed) json["weight"] = std::move(weight);
  return json;
}

std::vector<TargetInfo> targets_from(const Json& json) {
  const size_t n = json.at("user").size();
  std::vector<TargetInfo> targets(n);
  for (size_t t = 0; t < n; ++t) {
    const auto group = json.at("group").at(t).get<int>();
    if (group < 0 || group > int(ItemGroup::kCold)) throw std::out_of_range("item group");
    targets[t] = {.user = json.at("user").at(t).get<uint32_t>(),
                  .history = json.at("history").at(t).get<uint32_t>(),
                  .same_day = json.at("same_day").at(t).get<int>() != 0,
                  .group = ItemGroup(group),
                  .weight = json.contains("weight") ? json["weight"].at(t).get<float>() : 1.0F};
    if (!(targets[t].weight > 0)) throw std::out_of_range("weight");
  }
  return targets;
}

Json stage_json(const StageResult& s) {
  Json json = {{"stage", s.stage},
               {"identity_rate", s.identity_rate},
               {"invalid_rate", s.invalid_rate},
               {"position_bias", s.position_bias},
               {"milliseconds", s.milliseconds},
               {"trace_grounded", s.trace_grounded},
               {"trace_consistent", s.trace_consistent},
               {"trace_repeats", s.trace_repeats},
               {"rank", s.rank},
               {"lists", s.lists}};
  if (!s.labels.empty()) json["labels"] = s.labels;
  return json;
}

StageResult stage_from(const Json& json, const TargetSet& set) {
  StageResult s;
  json.at("stage").get_to(s.stage);
  json.at("identity_rate").get_to(s.identity_rate);
  json.at("invalid_rate").get_to(s.invalid_rate);
  json.at("position_bias").get_to(s.position_bias);
  json.at("milliseconds").get_to(s.milliseconds);
  s.trace_grounded = json.value("trace_grounded", -1.0);  // older files have none
  s.trace_consistent = json.value("trace_consistent", -1.0);
  s.trace_repeats = json.value("trace_repeats", -1.0);
  json.at("rank").get_to(s.rank);
  json.at("lists").get_to(s.lists);
  if (json.contains("labels")) json.at("labels").get_to(s.labels);
  const size_t targets = set.targets.size();
  if (s.rank.size() != targets || s.lists.size() != targets ||
      (!s.labels.empty() && s.labels.size() != targets)) {
    throw std::out_of_range(fmt::format("columns of stage {}", s.stage));
  }
  for (const auto& list : s.lists) {
    for (const data::ItemIndex item : list) {
      if (item >= set.popularity.size()) throw std::out_of_range("item index");
    }
  }
  return s;
}

}  // namespace

const StageResult* find_stage(const std::vector<StageResult>& stages, std::string_view name) {
  for (const StageResult& s : stages) {
    if (s.stage == name) return &s;
  }
  return nullptr;
}

TargetSet target_set(const data::Phase& phase) {
  const data::Dataset& dataset = *phase.fit.dataset;
  TargetSet set;
  set.popularity.resize(dataset.items());
  for (data::UserIndex u = 0; u < dataset.users(); ++u) {
    for (const data::ItemIndex item : phase.fit.items_of(u)) ++set.popularity[item];
  }
  const std::vector<ItemGroup> groups = group_items(set.popularity);
  set.targets.reserve(phase.targets.size());
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    const auto& [user, position] = phase.targets[t];
    const auto times = dataset.times_of(user);
    set.targets.push_back(
        {.user = user,
         .history = position,
         .same_day = position > 0 && day_of(phase.time(t)) == day_of(times[position - 1]),
         .group = groups[phase.answers(t).front()],
         .weight = phase.weight(t)});
  }
  return set;
}

void close_basket(size_t places, size_t answers, std::vector<uint8_t>& labels) {
  labels.resize(places);
  const auto there = size_t(std::ranges::count(labels, uint8_t{1}));
  PODIUM_CHECK(there <= answers);
  labels.insert(labels.end(), answers - there, 1);
}

void write_results(const fs::path& file, const TargetSet& targets,
                   const std::vector<StageResult>& stages) {
  Json json = {{"podium", {{"kind", "results"}, {"version", kResultsVersion}}},
               {"popularity", targets.popularity},
               {"targets", targets_json(targets)},
               {"stages", Json::array()}};
  for (const StageResult& s : stages) json["stages"].push_back(stage_json(s));
  write_file_atomic(file, json.dump());
}

SavedResults read_results(const fs::path& file) {
  const Json json = read_json(file);
  const std::string where = file.string();
  try {
    if (json.at("podium").at("kind") != "results") throw std::out_of_range("kind");
    if (json.at("podium").at("version").get<int>() > kResultsVersion) {
      throw Error("the results were written by a newer podium", "update podium", where);
    }
    SavedResults saved;
    json.at("popularity").get_to(saved.targets.popularity);
    saved.targets.targets = targets_from(json.at("targets"));
    for (const Json& stage : json.at("stages")) {
      saved.stages.push_back(stage_from(stage, saved.targets));
    }
    return saved;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(fmt::format("not a results file: {}", error.what()),
                "run `podium train` again: it rewrites this file", where);
  }
}

}  // namespace podium::eval
