// Every option of a run, and what they must obey together.
#pragma once

#include <cstdint>
#include <string>

#include "podium/base/option_range.h"
#include "podium/base/parallel.h"
#include "podium/data/split_options.h"
#include "podium/eval/metrics.h"
#include "podium/funnel/upstream.h"
#include "podium/llm/endpoint_options.h"
#include "podium/pipeline/policy_eval.h"
#include "podium/rerank/evidence_teacher.h"
#include "podium/rerank/model_spec.h"
#include "podium/rerank/prompt.h"
#include "podium/sid/codebook.h"
#include "podium/text/encoder.h"
#include "podium/train/midtrain_options.h"
#include "podium/train/policy_options.h"
#include "podium/train/rl_options.h"
#include "podium/train/rqvae_options.h"
#include "podium/train/sequence_options.h"
#include "podium/train/sft_options.h"

namespace podium::pipeline {

struct PipelineOptions {
  int64_t seed = 1;
  int threads = 0;  // 0: every core; results do not depend on it
  int k = 10;       // candidates a slate
  int max_trace = 96;
  int block = 1;
  std::string reward = "conditional";
  bool compare_plain = false;
  data::SplitOptions split;
  std::string text_cache;  // results do not depend on it
  text::EncoderOptions encoder;
  sid::SidOptions sid;
  train::RqVaeOptions rqvae;  // with sid.method rq-vae only
  train::SequenceOptions sasrec;
  train::HstuOptions hstu;  // trained with upstream.sources.hstu only
  funnel::UpstreamOptions upstream;
  rerank::PromptOptions prompt = {.claims = true};
  train::PolicyOptions policy;
  train::AdaptOptions adapt;
  train::MidtrainOptions midtrain;
  rerank::TeacherOptions teacher;
  llm::EndpointOptions endpoint;  // answers, and so results, do not depend on it
  train::SftOptions sft;
  train::RlOptions rl;
  train::RlOptions rl_fast;
  PolicyEvalOptions eval;
  eval::MetricOptions metrics;

  // Tokens of the longest prompt with its answer, at most.
  int64_t longest_example() const {
    constexpr int64_t kFixed = 32;  // the phrases of prompt and answer
    const int64_t item = sid.levels;
    return kFixed + prompt.max_history * item + k * (item + prompt.title_tokens + 1) + max_trace +
           2 * int64_t(k);
  }

  template <class V>
  void visit(V& v) {
    v("seed", seed, "seed of every stage", at_least(0));
    v("threads", threads, "threads; 0: every core", between(0, kMostThreads));
    v("k", k, "candidates a slate",
      between(double(rerank::kMinCandidates), double(rerank::kMaxCandidates)));
    v("max_trace", max_trace,
      "longest reasoning trace, tokens: in training, evaluation and serving alike",
      between(1, 1024));
    v("block", block,
      "names of an answer that are chosen from one state, in evaluation and serving alike: with "
      "more, answers take fewer passes of the policy",
      between(1, rerank::kMaxCandidates));
    v("reward", reward,
      "gate of the RL reward: conditional pays no copies, improving nothing that is no better",
      one_of({"conditional", "improving", "plain"}));
    v("compare_plain", compare_plain, "also train with the plain reward and show its copying");
    v("text_cache", text_cache,
      "folder of vectors that a text model made before, so that unchanged text is not encoded "
      "again; empty: none");
    v.section("split", split);
    v.section("encoder", encoder);
    v.section("sid", sid);
    v.section("rqvae", rqvae);
    v.section("sasrec", sasrec);
    v.section("hstu", hstu);
    v.section("upstream", upstream);
    v.section("prompt", prompt);
    v.section("policy", policy);
    v.section("adapt", adapt);
    v.section("midtrain", midtrain);
    v.section("teacher", teacher);
    v.section("endpoint", endpoint);
    v.section("sft", sft);
    v.section("rl", rl);
    v.section("rl_fast", rl_fast);
    v.section("eval", eval);
    v.section("metrics", metrics);
    together(v);
  }

 private:
  // What several options must obey.
  template <class V>
  void together(V& v) const {
    v.rule([this] { return teacher.kind == "evidence" || !prompt.claims; },
           "teacher.kind endpoint writes prose, which prompt.claims does not hold: "
           "--no-prompt.claims");
    v.rule([this] { return k <= upstream.blend.total; }, "k must not exceed upstream.blend.total");
    v.rule(
        [this] {
          return upstream.order == funnel::kRankerOrder || funnel::is_given(upstream.order) ||
                 k <= upstream.blend.quota;
        },
        "k must not exceed upstream.blend.quota where upstream.order is a source");
    v.rule(
        [this] {
          return upstream.order != funnel::kGenerativeOrder || split.protocol != "impressions";
        },
        "upstream.order generative lists items for events: not with split.protocol impressions");
    v.rule([this] { return !rqvae.sinkhorn || !sid.random_last_level; },
           "rqvae.sinkhorn needs sid.random_last_level off");
    v.rule([this] { return upstream.new_places == 0 || upstream.sources.new_items; },
           "upstream.new_places needs upstream.sources.new_items");
    v.rule([this] { return !upstream.sources.hstu || hstu.epochs > 0; },
           "upstream.sources.hstu needs hstu.epochs above 0");
    v.rule([this] { return longest_example() <= rerank::ModelSpec().max_positions; },
           "a prompt with its answer must fit the policy's 4096 positions: lower k, max_trace, "
           "prompt.max_history or prompt.title_tokens");
  }
};

// "demo": MovieLens-100K on two cores in minutes; "full": the defaults. Throws Error on others.
void apply_preset(const std::string& name, PipelineOptions& options);

}  // namespace podium::pipeline
