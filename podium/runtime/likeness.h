// How like a candidate is to those that an answer has put before it, so that a choice can tell
// more of the same from something new. Learnt weights of it are all that it takes to do what MMR
// does, or to tire of a category as a user does (ModelSpec).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "podium/rerank/model_spec.h"
#include "podium/rerank/prompt.h"

namespace podium::runtime {

// Of a slate's candidates to one another. Immutable and thread-safe.
struct Alike {
  // Items' text where the context has it, categories where it has a dataset; what is missing is
  // like nothing.
  Alike(const rerank::PromptContext& context, const rerank::Slate& slate);

  size_t candidates;
  std::vector<float> cosine;                      // [K, K] of the items' text, at least 0
  std::vector<std::vector<uint16_t>> categories;  // [K] numbers below `names`, most special last
  size_t names = 0;
};

// What stands, as an answer goes on. All is 0 before the first is put.
class Likeness {
 public:
  explicit Likeness(const Alike& alike);  // must outlive it

  // Candidates that an answer has put since, in its order.
  void follow(std::span<const int> order);
  // Of a candidate, to what stands:
  //   the largest cosine; the mean cosine; the share of its categories that stand already; how
  //   many candidates of its most special category stand
  std::array<float, rerank::kLikeness> of(size_t candidate) const;

 private:
  void put(size_t candidate);

  const Alike* alike_;
  size_t stand_ = 0;
  std::vector<float> nearest_, sum_;        // [K]
  std::vector<uint16_t> seen_, best_seen_;  // [names] times, as any category and as the last
};

}  // namespace podium::runtime
