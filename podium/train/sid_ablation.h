// What each part of the RQ-VAE is worth (docs/gr2.md section 2): semantic IDs with one part or
// several, how unique they are, and how well a small generative model finds the next item by them.
#pragma once

#include <string>
#include <vector>

#include "podium/base/json.h"
#include "podium/data/split.h"
#include "podium/sid/codebook.h"
#include "podium/train/midtrain_options.h"
#include "podium/train/policy_data.h"
#include "podium/train/rqvae_options.h"

namespace podium::train {

struct AblationRow {
  std::string name;  // "+ema+random"
  sid::SidOptions sid;
  RqVaeOptions rqvae;
};

struct AblationOptions {
  int seeds = 3;
  int targets = 5000;
  int beam = 20;
  double contrastive = 0.1, diversity = 0.1;  // weights in the rows that have them
  template <class V>
  void visit(V& v) {
    v("seeds", seeds, "fits of every row", between(1, 10));
    v("targets", targets, "validation targets of the next-item model", between(1, 100000000));
    v("beam", beam, "semantic IDs that its search keeps a level", between(10, 1000));
    v("contrastive", contrastive, "weight of the contrastive loss in the rows that have it",
      between(0, 1000));
    v("diversity", diversity, "weight of the diversity loss in the rows that have it",
      between(0, 1000));
  }
};

// The base (gradient codebooks from a k-means start, no further part), the base with each part,
// combinations, and RQ-KMeans. `sid` and `rqvae` say all else: shape, epochs, steps.
std::vector<AblationRow> ablation_rows(const AblationOptions& options, const sid::SidOptions& sid,
                                       const RqVaeOptions& rqvae);

// The mid-training of a small policy on the histories of phase.fit, told as semantic IDs, then beam
// search on `targets` of phase.targets, evenly chosen.
struct NextItemTask {
  const data::Phase& phase;
  MidtrainOptions midtrain;  // its shares apart: histories only
  int targets = 0, beam = 0;
};

// Share of targets among the first ten items found, R@10; seen items are left out. Resumes from
// job.work.
double next_item_recall(const NextItemTask& task, const sid::SidTable& sids, const StageJob& job);

// Mean and 95 % interval of Student's t over seeds; without an interval (low = high = mean) for one
// value.
struct SeedInterval {
  double mean = 0, low = 0, high = 0;
};
SeedInterval over_seeds(const std::vector<double>& values);  // 1 to 10 of them

// measured: {row name: [{"uniqueness", "usage", "perplexity", "recall10"?}, a seed each]}.
// The same with the intervals added, in the order of rows: ablation.json; and as Markdown.
Json ablation_report(const std::vector<AblationRow>& rows, const Json& measured);
std::string ablation_table(const Json& report);

}  // namespace podium::train
