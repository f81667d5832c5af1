#include "podium/pipeline/policy_eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/base/rng.h"
#include "podium/rerank/reward.h"
#include "podium/rerank/trace_check.h"

namespace podium::pipeline {
namespace {

using rerank::Slate;
using runtime::DecodeOptions;
using runtime::Rollout;

constexpr size_t kChunk = 128;  // slates decoded between two looks at the interrupt flag

bool is_identity(std::span<const int> order) {
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] != int(i)) return false;
  }
  return true;
}

std::vector<Rollout> decode_all(const runtime::Engine& engine, const rerank::PromptContext& context,
                                const std::vector<Slate>& slates, const DecodeOptions& options,
                                int threads, const std::string& label) {
  std::vector<Rollout> all;
  Progress progress(label, slates.size(), "slates");
  for (size_t begin = 0; begin < slates.size(); begin += kChunk) {
    stop_if_interrupted("run the same command to resume");
    const size_t count = std::min(kChunk, slates.size() - begin);
    auto part = engine.decode(context, std::span(slates).subspan(begin, count), options, threads);
    std::move(part.begin(), part.end(), std::back_inserter(all));
    progress.add(count);
  }
  return all;
}

// The first `count` of a fixed shuffle of [0, n): a sample that does not depend on the policy.
std::vector<size_t> sample_of(size_t n, int count, uint64_t seed, std::string_view name) {
  std::vector<size_t> indices(n);
  std::iota(indices.begin(), indices.end(), size_t{0});
  Rng rng = Rng(seed).fork(name);
  rng.shuffle(std::span(indices));
  indices.resize(std::min(n, size_t(std::max(0, count))));
  std::sort(indices.begin(), indices.end());
  return indices;
}

std::vector<Slate> pick(const std::vector<Slate>& slates, const std::vector<size_t>& indices) {
  std::vector<Slate> picked;
  for (size_t i : indices) picked.push_back(slates[i]);
  return picked;
}

double mean_ndcg(const std::vector<Slate>& slates, const std::vector<Rollout>& answers) {
  double sum = 0;
  for (size_t i = 0; i < slates.size(); ++i) {
    sum += rerank::ndcg(gains_of(slates[i]), answers[i].order, slates[i].candidates.size());
  }
  return slates.empty() ? 0 : sum / double(slates.size());
}

// One policy on the slates that hold a positive.
class Evaluation {
 public:
  Evaluation(const runtime::Engine& engine, const rerank::PromptContext& context,
             const PolicyEvalRequest& request, std::vector<Slate> positive)
      : engine_(engine), context_(context), request_(request), positive_(std::move(positive)) {
    decode_.with_trace = request.with_trace;
    decode_.max_trace = request.max_trace;
    decode_.block = request.block;
    decode_.seed = request.seed;
  }

  const std::vector<Rollout>& answers() {
    answers_ = decode_all(engine_, context_, positive_, decode_, request_.threads, request_.stage);
    return answers_;
  }

  double identity_rate() const {
    const auto copies = std::count_if(answers_.begin(), answers_.end(),
                                      [](const Rollout& r) { return is_identity(r.order); });
    return answers_.empty() ? 0 : double(copies) / double(answers_.size());
  }

  // On the traces of all answers; none when they have no traces.
  std::vector<rerank::TraceVerdict> verdicts() const {
    std::vector<rerank::TraceVerdict> all;
    if (!request_.with_trace) return all;
    const rerank::TraceChecker checker(context_);
    for (size_t i = 0; i < answers_.size(); ++i) {
      const auto trace = rerank::trace_of(context_, answers_[i].tokens);
      all.push_back(checker.check(positive_[i], trace, answers_[i].order));
    }
    return all;
  }

  // Of the first slates, which belong to the targets `where`.
  std::vector<ExampleTrace> examples(const std::vector<size_t>& where,
                                     const std::vector<rerank::TraceVerdict>& judged) const {
    std::vector<ExampleTrace> all;
    for (size_t i = 0; i < std::min(request_.examples, where.size()); ++i) {
      const auto parsed = rerank::parse_answer(context_, positive_[i], answers_[i].tokens);
      all.push_back(
          {where[i], answers_[i].order, parsed.trace, judged.empty() ? "" : judged[i].in_words()});
    }
    return all;
  }

  double position_bias() const {
    const auto sample =
        sample_of(positive_.size(), request_.options.shuffled, request_.seed, "shuffled");
    std::vector<Slate> shuffled;
    std::vector<Rollout> direct;
    for (size_t i : sample) {
      shuffled.push_back(shuffled_slate(positive_[i], request_.seed));
      direct.push_back(answers_[i]);
    }
    const auto answers = decode_all(engine_, context_, shuffled, decode_, request_.threads,
                                    request_.stage + " shuffled");
    return mean_ndcg(pick(positive_, sample), direct) - mean_ndcg(shuffled, answers);
  }

  std::vector<Rollout> unconstrained() const {
    DecodeOptions free = decode_;
    free.constrained = false;
    return decode_all(engine_, context_, pick(positive_, unconstrained_sample()), free,
                      request_.threads, request_.stage + " unconstrained");
  }
  std::vector<size_t> unconstrained_sample() const {
    return sample_of(positive_.size(), request_.options.unconstrained, request_.seed, "free");
  }

  double median_milliseconds() const {
    std::vector<double> times;
    for (size_t i : sample_of(positive_.size(), request_.options.timed, request_.seed, "timed")) {
      const auto start = std::chrono::steady_clock::now();
      engine_.decode(context_, std::span(positive_).subspan(i, 1), decode_, 1);
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - start;
      times.push_back(took.count());
    }
    if (times.empty()) return -1;
    std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
    return times[times.size() / 2];
  }

 private:
  const runtime::Engine& engine_;
  const rerank::PromptContext& context_;
  const PolicyEvalRequest& request_;
  std::vector<Slate> positive_;
  DecodeOptions decode_;
  std::vector<Rollout> answers_;
};

}  // namespace

void apply_order(std::span<const int> order, const Slate& slate, size_t target,
                 eval::StageResult& result) {
  PODIUM_CHECK(rerank::is_permutation_of(order, slate.candidates.size()));
  auto& list = result.lists[target];
  for (size_t r = order.size(); r-- > 0;) {
    const auto& candidate = slate.candidates[order[r]];
    if (r < list.size()) list[r] = candidate.item;
    if (candidate.gain > 0) result.rank[target] = int32_t(r);  // in the end the first one's
    if (!result.labels.empty()) result.labels[target][r] = candidate.gain;
  }
}

Slate shuffled_slate(const Slate& slate, uint64_t seed) {
  Slate other = slate;
  Rng rng = Rng(seed).fork("shuffle").fork(slate.id);
  rng.shuffle(std::span(other.candidates));
  return other;
}

PolicyEvaluation evaluate_policy(const runtime::Engine& engine,
                                 const rerank::PromptContext& context,
                                 const std::vector<Slate>& slates,
                                 const eval::StageResult& upstream,
                                 const PolicyEvalRequest& request) {
  PODIUM_CHECK(slates.size() == upstream.rank.size());
  std::vector<size_t> where;
  std::vector<Slate> positive;
  for (size_t t = 0; t < slates.size(); ++t) {
    if (slates[t].positives() == 0) continue;
    where.push_back(t);
    positive.push_back(slates[t]);
  }
  Evaluation evaluation(engine, context, request, positive);
  PolicyEvaluation out;
  out.result.stage = request.stage;
  out.result.rank = upstream.rank;
  out.result.lists = upstream.lists;
  out.result.labels = upstream.labels;
  const std::vector<Rollout>& answers = evaluation.answers();
  for (size_t i = 0; i < where.size(); ++i) {
    apply_order(answers[i].order, positive[i], where[i], out.result);
  }
  out.result.identity_rate = evaluation.identity_rate();
  out.result.position_bias = evaluation.position_bias();
  const auto free = evaluation.unconstrained();
  const auto invalid =
      std::count_if(free.begin(), free.end(), [](const Rollout& r) { return r.order.empty(); });
  out.result.invalid_rate = free.empty() ? -1 : double(invalid) / double(free.size());
  out.result.milliseconds = evaluation.median_milliseconds();
  const auto verdicts = evaluation.verdicts();
  const rerank::TraceShares shares = rerank::shares_of(verdicts);
  out.result.trace_grounded = shares.grounded;
  out.result.trace_consistent = shares.consistent;
  out.result.trace_repeats = shares.repeats;
  out.examples = evaluation.examples(where, verdicts);
  return out;
}

Json to_json(const std::vector<ExampleTrace>& examples) {
  Json all = Json::array();
  for (const ExampleTrace& e : examples) {
    all.push_back(
        {{"slate", e.slate}, {"order", e.order}, {"trace", e.trace}, {"verdict", e.verdict}});
  }
  return all;
}

std::vector<ExampleTrace> example_traces_from_json(const Json& json) {
  std::vector<ExampleTrace> examples;
  for (const Json& e : json) {
    examples.push_back({e.at("slate").get<size_t>(), e.at("order").get<std::vector<int>>(),
                        e.at("trace").get<std::string>(), e.at("verdict").get<std::string>()});
  }
  return examples;
}

}  // namespace podium::pipeline
