#include "podium/train/reward_lab.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/rerank/reward.h"
#include "podium/runtime/engine.h"

namespace podium::train {
namespace {

struct LabReward {
  const char *name, *rank, *gate, *credit;
};
constexpr LabReward kLabRewards[] = {{"ndcg-plain", "ndcg", "plain", "answer"},
                                     {"ndcg-conditional", "ndcg", "conditional", "answer"},
                                     {"ndcg-improving", "ndcg", "improving", "answer"},
                                     {"gain", "ndcg-gain", "conditional", "answer"},
                                     {"gain-by-rank", "ndcg-gain", "conditional", "rank"}};

struct MeanNdcg {
  double at3 = 0, at10 = 0;
};

// Of greedy answers to the view's slates, each changed by change(slate, rng) first.
template <class Change>
MeanNdcg mean_ndcg(const Qwen3Impl& policy, const LabView& view, const Change& change) {
  const Rng root = Rng(view.seed).fork("reward-lab");
  std::vector<rerank::Slate> slates;
  for (const rerank::Slate& slate : view.slates) {
    Rng rng = root.fork(uint64_t(slates.size()));
    slates.push_back(change(slate, rng));
  }
  runtime::DecodeOptions options;
  options.with_trace = view.with_trace;
  options.max_trace = view.max_trace;
  const auto rollouts = engine_over(policy).decode(view.context, slates, options, view.threads);
  MeanNdcg mean;
  const auto n = double(std::max<size_t>(1, slates.size()));
  for (size_t i = 0; i < slates.size(); ++i) {
    const auto gains = gains_of(slates[i]);
    mean.at3 += rerank::ndcg(gains, rollouts[i].order, 3) / n;
    mean.at10 += rerank::ndcg(gains, rollouts[i].order, 10) / n;
  }
  return mean;
}

rerank::Slate unchanged(const rerank::Slate& slate, Rng& /*rng*/) { return slate; }
rerank::Slate shuffled(const rerank::Slate& slate, Rng& rng) {
  return maybe_shuffled(slate, 1, rng);
}

// Share of candidates whose evidence another of their slate has.
double share_of_equals(std::span<const rerank::Slate> slates) {
  size_t equal = 0, all = 0;
  for (const rerank::Slate& slate : slates) {
    for (const auto& candidate : slate.candidates) {
      equal += std::ranges::count(slate.candidates, candidate.evidence,
                                  &rerank::SlateCandidate::evidence) > 1;
      ++all;
    }
  }
  return double(equal) / double(std::max<size_t>(1, all));
}

std::string curve_cells(const Json& row) {
  std::string text;
  for (const char* key : {"identity_rate", "tau", "first_kept", "ndcg", "shuffled_ndcg3"}) {
    text += fmt::format(" {:.4f} |", row.at(key).get<double>());
  }
  return text;
}

}  // namespace

std::vector<std::string> lab_arm_names() {
  std::vector<std::string> names;
  for (const LabReward& reward : kLabRewards) names.emplace_back(reward.name);
  return names;
}

std::vector<LabArm> lab_arms(const std::vector<std::string>& names, const RlOptions& options) {
  std::vector<LabArm> arms;
  for (const std::string& name : names) {
    const auto* reward = std::ranges::find(kLabRewards, name, &LabReward::name);
    if (reward == std::end(kLabRewards)) {
      throw Error(fmt::format("the reward lab has no arm '{}'", name),
                  fmt::format("choose from {}", fmt::join(lab_arm_names(), ", ")));
    }
    LabArm arm{name, options};
    arm.options.rank = reward->rank;
    arm.options.gate = reward->gate;
    arm.options.credit = reward->credit;
    arms.push_back(std::move(arm));
  }
  return arms;
}

Json observe_shuffled(const Qwen3Impl& policy, const LabView& view) {
  const MeanNdcg mean = mean_ndcg(policy, view, shuffled);
  return {{"shuffled_ndcg3", mean.at3}, {"shuffled_ndcg10", mean.at10}};
}

Json probe_order(const Qwen3Impl& policy, const LabView& view) {
  return {{"given", mean_ndcg(policy, view, unchanged).at10},
          {"equal_evidence", mean_ndcg(policy, view, equals_permuted).at10},
          {"shuffled", mean_ndcg(policy, view, shuffled).at10},
          {"equal_share", share_of_equals(view.slates)}};
}

std::string lab_table(const Json& arms) {
  std::string text =
      "| arm | step | copies | tau | first kept | NDCG | shuffled N@3 | best step | N@10 of the "
      "best: given | equals permuted | shuffled |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
  if (!arms.empty()) {
    text += "| start | 0 |" + curve_cells(arms.front().at("curve").front()) + " | | | |\n";
  }
  for (const Json& arm : arms) {
    const Json &last = arm.at("curve").back(), &probe = arm.at("probe");
    text += fmt::format("| {} | {} |{} {} | {:.4f} | {:.4f} | {:.4f} |\n",
                        arm.at("name").get<std::string>(), last.at("step").get<int64_t>(),
                        curve_cells(last), arm.at("best_step").get<int64_t>(),
                        probe.at("given").get<double>(), probe.at("equal_evidence").get<double>(),
                        probe.at("shuffled").get<double>());
  }
  return text;
}

std::string evasion_table(const Json& evasions) {
  if (evasions.empty()) return "";
  std::string text = "| evasion | NDCG gain |", line = "|---|---|";
  for (const auto& [name, rows] : evasions.items()) {
    text += fmt::format(" {} |", name);
    line += "---|";
  }
  text += "\n" + line + "\n";
  for (size_t i = 0; i < evasions.front().size(); ++i) {
    const Json& first = evasions.front()[i];
    text += fmt::format("| {} | {:+.4f} |", first.at("name").get<std::string>(),
                        first.at("gain").get<double>());
    for (const Json& rows : evasions) {
      text += fmt::format(" {:.4f}{} |", rows[i].at("reward").get<double>(),
                          rows[i].at("pays").get<bool>() ? "*" : "");
    }
    text += "\n";
  }
  return text;
}

}  // namespace podium::train
