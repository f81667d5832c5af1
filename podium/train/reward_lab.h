// The reward lab: one policy trained under several rewards on the same slates, and what each of
// them breeds: copies, answers that follow the input's places, answers that read the candidates.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "podium/base/json.h"
#include "podium/train/policy_data.h"
#include "podium/train/rl_options.h"

namespace podium::train {

struct LabArm {
  std::string name;
  RlOptions options;
};

// `options` with another reward, gate or credit:
//   ndcg-plain, ndcg-conditional, ndcg-improving   NDCG's value under each gate
//   gain                                           its gain over the input, conditional: podium's
//   gain-by-rank                                   the same, credited by rank
// names: the arms wanted, in their order. Throws Error on others.
std::vector<LabArm> lab_arms(const std::vector<std::string>& names, const RlOptions& options);
std::vector<std::string> lab_arm_names();

// What a policy is looked at with; all must outlive it.
struct LabView {
  const rerank::PromptContext& context;
  std::span<const rerank::Slate> slates;
  bool with_trace = false;
  int max_trace = 96;
  int threads = 1;
  uint64_t seed = 1;  // of the shuffles: the same for every policy
};

// {"shuffled_ndcg3", "shuffled_ndcg10"}: means of greedy answers to the slates in random order.
Json observe_shuffled(const Qwen3Impl& policy, const LabView& view);

// The input order is information, as upstream's best stand first. How much of the answers hangs on
// places that tell nothing is seen where only candidates of equal evidence change places; their
// scores and numbers go with them. {"given", "equal_evidence", "shuffled": mean N@10 of greedy
// answers to the slates as they are, with equals permuted, in random order; "equal_share": of the
// candidates, those that have an equal in their slate}.
Json probe_order(const Qwen3Impl& policy, const LabView& view);

// arms: [{"name", "best_step", "curve", "probe"}]. Markdown: the start, and every arm's last
// validation.
std::string lab_table(const Json& arms);

// evasions: {arm's name: rerank::to_json(Evasion's)}. Markdown: mean reward of each evasion, a star
// where it pays.
std::string evasion_table(const Json& evasions);

}  // namespace podium::train
