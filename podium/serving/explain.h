// Reasons for items, from evidence: claims that are looked for in what people took and what the
// catalogue tells, and told only when claim_check.h has proved them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "podium/rerank/slate.h"
#include "podium/serving/claim.h"
#include "podium/serving/claim_data.h"
#include "podium/serving/claim_index.h"

namespace podium::serving {

// A claim about fewer people is not made: it would tell what one of them did.
inline constexpr size_t kFewestPeople = 3;
inline constexpr Day kPopularDays = 30;  // that "popular" looks back on

struct Explained {
  std::string id;
  // What the policy's trace says of the item, the strongest first. It becomes the claims that come
  // first, and what the data do not hold is dropped.
  std::vector<rerank::EvidenceKind> cited = {};
};

struct Reason {
  Claim claim;
  bool of_trace = false;
};

// What was not told: a claim that could not be proved, or what a trace said of `claim.item` and no
// claim says in its place.
struct Dropped {
  Claim claim;
  std::string said;  // by the trace: "next in sequence"; empty: it is a claim
  std::string why;
};

struct Reasons {
  std::vector<std::vector<Reason>> of;  // [items] at most `most` each, the best first
  std::vector<Dropped> dropped;
};

struct ExplainOptions {
  size_t most = 3;  // reasons for an item
  Day today = 0;
};

Reasons explain(const ClaimData& data, const ClaimIndex& index, const Subject& subject,
                std::span<const Explained> items, const ExplainOptions& options);

}  // namespace podium::serving
