// Everything before re-ranking: sources, blend, features, ranker; and the evidence it has of each
// candidate. Immutable and thread-safe once built.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "podium/base/lazy.h"
#include "podium/data/dataset.h"
#include "podium/funnel/evidence.h"
#include "podium/funnel/feature_scale.h"
#include "podium/funnel/order.h"
#include "podium/funnel/source_lists.h"
#include "podium/ranking/features.h"
#include "podium/ranking/ranker.h"
#include "podium/rerank/slate.h"
#include "podium/retrieval/blend.h"

namespace podium::funnel {

inline constexpr size_t kHistoryKept =
    rerank::kMaxHistory;  // newest items of a history, kept in a slate

struct UpstreamOptions {
  std::string order = kRankerOrder;
  int new_places = 0;
  retrieval::SourceOptions sources;
  retrieval::BlendOptions blend;
  ranking::RankerOptions ranker;
  template <class V>
  void visit(V& v) {
    v("order", order,
      "whose order the policy improves: ranker; a source's (popularity, item-to-item, content, "
      "sasrec, hstu); generative: that of the mid-trained policy's own beam search; or shown: the "
      "shop's (split.protocol impressions)");
    v("new_places", new_places,
      "of the ranker's first ten, how many are kept for new items (sources.new_items)",
      between(0, double(kFirst)));
    v.section("sources", sources);
    v.section("blend", blend);
    v.section("ranker", ranker);
  }
};

// What the sources found for a query: the blend, and, where more was asked for than it holds, the
// sources' further items after it.
struct Found {
  std::vector<retrieval::Blended> candidates;
  size_t blended = 0;  // of them
};

// Candidates in order, best first.
struct Ranked {
  std::vector<rerank::SlateCandidate> candidates;  // label 0
  std::vector<uint32_t> sources;  // [candidates]; bit s: Sources::all()[s] is among its sources
};

// How the policy is told of a candidate.
struct Description {
  EvidenceLevels levels;
  FeatureScale scale;  // of the features and the ranker's score, which come last in its rows

  // row: the candidate's features; score: the ranker's, NaN without one.
  void tell(const ranking::Features& features, const float* row, float score,
            rerank::SlateCandidate& candidate) const;
};

class Upstream {
 public:
  // The dataset must outlive it.
  Upstream(const data::Dataset& dataset, retrieval::Sources sources, Lazy<ranking::Ranker> ranker,
           Description description, const UpstreamOptions& options);
  // The ranker is read when it is first needed.
  static Upstream load(const fs::path& dir, const data::Dataset& dataset,
                       const UpstreamOptions& options);
  void save(const fs::path& dir) const;

  // The two steps. With k above the blend's total the sources are asked for more; what they find
  // then is ranked after the blend, so that the first items are the same for every k. Fewer than k
  // when the catalogue holds no more that the user may be shown.
  Found find(const retrieval::Query& query, size_t k) const;
  // The first k in the ranker's order, with evidence.
  Ranked rank(const retrieval::Query& query, const Found& found, size_t k) const;
  // Both.
  std::vector<rerank::SlateCandidate> rank(const retrieval::Query& query, size_t k) const;

  // Where time is too short: the first k in the blend's order, or the most popular k; without
  // evidence.
  static Ranked unranked(const Found& found, size_t k);
  Ranked popular(const retrieval::Query& query, size_t k) const;

  // Somebody else's candidates, as they stand, described and scored as rank() would, or, where the
  // order is the shop's own, by their places. lists: of the same query, but for its times where
  // lists_read_time() is false.
  std::vector<rerank::SlateCandidate> describe(const retrieval::Query& query,
                                               const std::vector<data::ItemIndex>& items,
                                               const SourceLists& lists) const;
  SourceLists lists(const retrieval::Query& query) const;
  bool lists_read_time() const;

  const retrieval::Sources& sources() const { return *sources_; }

 private:
  // Fills the rows.
  std::vector<float> score(const retrieval::Query& query, Described& described) const;

  std::unique_ptr<retrieval::Sources> sources_;  // features_ points to it
  std::unique_ptr<ranking::Features> features_;
  Lazy<ranking::Ranker> ranker_;
  Description description_;
  UpstreamOptions options_;
};

}  // namespace podium::funnel
