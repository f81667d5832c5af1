// What a policy answers to the slates of a phase, as a stage of the report.
//
// Only slates that hold a positive are decoded: re-ranking changes the rank of no other target, and
// the set of the first K items of none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "podium/base/json.h"
#include "podium/base/option_range.h"
#include "podium/eval/results.h"
#include "podium/runtime/engine.h"

namespace podium::pipeline {

struct PolicyEvalOptions {
  int unconstrained = 200;  // slates decoded freely for the invalid rate
  int shuffled = 2000;      // slates decoded again in another order, for position bias
  int timed = 50;           // slates decoded one by one on one thread
  template <class V>
  void visit(V& v) {
    v("unconstrained", unconstrained, "slates decoded without the grammar, for the invalid rate",
      between(0, 1000000000));
    v("shuffled", shuffled, "slates decoded again with shuffled candidates, for position bias",
      between(0, 1000000000));
    v("timed", timed, "slates decoded one by one to measure milliseconds", between(0, 1000000000));
  }
};

struct PolicyEvalRequest {
  std::string stage;  // "gr2-rl", ...
  bool with_trace = true;
  uint64_t seed = 1;
  int threads = 1;
  int max_trace = 96;    // longest reasoning trace, tokens
  int block = 1;         // names of an answer that are chosen from one state
  size_t examples = 50;  // answers kept with their traces, of the first slates with a positive
  PolicyEvalOptions options;
};

struct ExampleTrace {
  size_t slate = 0;        // index into the slates
  std::vector<int> order;  // order[r] = input position of the candidate at rank r
  std::string trace;
  std::string verdict;  // on the trace, in words (rerank/trace_check.h); empty without one
};

struct PolicyEvaluation {
  eval::StageResult result;
  std::vector<ExampleTrace> examples;
};

// slates[t] belongs to target t and holds upstream's first K of lists[t] in that order.
PolicyEvaluation evaluate_policy(const runtime::Engine& engine,
                                 const rerank::PromptContext& context,
                                 const std::vector<rerank::Slate>& slates,
                                 const eval::StageResult& upstream,
                                 const PolicyEvalRequest& request);

// The pieces, for tests.
// Puts upstream's first K items and the target's rank in the answer's order.
void apply_order(std::span<const int> order, const rerank::Slate& slate, size_t target,
                 eval::StageResult& result);
// The same candidates in an order drawn from (seed, slate id).
rerank::Slate shuffled_slate(const rerank::Slate& slate, uint64_t seed);

Json to_json(const std::vector<ExampleTrace>& examples);
std::vector<ExampleTrace> example_traces_from_json(const Json& json);

}  // namespace podium::pipeline
