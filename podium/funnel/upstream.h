// Everything before re-ranking: sources, blend, features, ranker; and the evidence it has of each
// candidate. Immutable and thread-safe once built.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "podium/base/lazy.h"
#include "podium/data/dataset.h"
#include "podium/funnel/evidence.h"
#include "podium/ranking/features.h"
#include "podium/ranking/ranker.h"
#include "podium/rerank/slate.h"
#include "podium/retrieval/blend.h"

namespace podium::funnel {

inline constexpr size_t kHistoryKept =
    rerank::kMaxHistory;  // newest items of a history, kept in a slate

struct UpstreamOptions {
  retrieval::SourceOptions sources;
  retrieval::BlendOptions blend;
  ranking::RankerOptions ranker;
  template <class V>
  void visit(V& v) {
    v.section("sources", sources);
    v.section("blend", blend);
    v.section("ranker", ranker);
  }
};

class Upstream {
 public:
  // The dataset must outlive it.
  Upstream(const data::Dataset& dataset, retrieval::Sources sources, Lazy<ranking::Ranker> ranker,
           EvidenceLevels levels, const UpstreamOptions& options);
  // The ranker is read when it is first needed: describe() does without.
  static Upstream load(const fs::path& dir, const data::Dataset& dataset,
                       const UpstreamOptions& options);
  void save(const fs::path& dir) const;

  // The first k of the blended candidates in the ranker's order, with evidence, label 0.
  std::vector<rerank::SlateCandidate> rank(const retrieval::Query& query, size_t k) const;

  // Somebody else's candidates, in their order, with our evidence. upstream_score is left 0.
  std::vector<rerank::SlateCandidate> describe(const retrieval::Query& query,
                                               const std::vector<data::ItemIndex>& items) const;

  const retrieval::Sources& sources() const { return *sources_; }

 private:
  std::unique_ptr<retrieval::Sources> sources_;  // features_ points to it
  std::unique_ptr<ranking::Features> features_;
  Lazy<ranking::Ranker> ranker_;
  EvidenceLevels levels_;
  UpstreamOptions options_;
};

}  // namespace podium::funnel
