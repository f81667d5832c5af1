// A user's own items as a candidate source, for shops whose users buy again (SeenRule::kDecay).
#pragma once

#include "podium/retrieval/retriever.h"

namespace podium::retrieval {

// Base-level activation of ACT-R (Anderson and Schooler 1991): the score of an item is
//   ln sum_j (now - t_j)^-1/2
// over the user's events j with it. Often and lately had comes first; the order does not depend on
// the unit of time, so that event numbers serve where there are no times. Fitted on nothing.
// Empty under SeenRule::kExclude.
class History : public Retriever {
 public:
  std::string_view name() const override { return "history"; }
  std::vector<Scored> retrieve(const Query& query, size_t n) const override;
  void save(const fs::path&) const override {}
};

}  // namespace podium::retrieval
