// `podium train`: a dataset to a trained, measured and packed funnel. Stages, in order:
//
//   sid            item text -> vectors -> semantic IDs
//   sasrec-*       SASRec for each phase (slates, valid, test), each going on from the one before;
//                  none with sasrec.epochs = 0
//   upstream       sources, ranker, slates; results of every source and of the ranked blend
//   tokenizer      byte-level BPE over catalogue and trace phrases, with the SID tokens
//   midtrain       the policy learns SIDs, captions, sequences
//   sft            evidence traces by rejection sampling, supervised fine-tuning
//   rl             reasoning RL with the conditional reward
//   rl-fast        internalised: RL without a trace
//   rl-plain       with compare_plain: RL with the ungated reward, to show the copying
//   eval-*         each policy on the valid and test slates
//   report         report.json, report.html
//   bundle         everything a server needs
//
// Each is a directory OUT/stages/NAME that appears whole or not at all; see stage_runner.h.
#pragma once

#include <cstdint>
#include <string>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/data/split_options.h"
#include "podium/eval/metrics.h"
#include "podium/funnel/upstream.h"
#include "podium/pipeline/policy_eval.h"
#include "podium/rerank/prompt.h"
#include "podium/rerank/trace.h"
#include "podium/rerank/train_options.h"
#include "podium/sid/codebook.h"
#include "podium/text/encoder.h"

namespace podium::pipeline {

struct PipelineOptions {
  int64_t seed = 1;
  int threads = 0;  // 0: every core; results do not depend on it
  int k = 10;       // candidates a slate
  std::string reward = "conditional";
  bool compare_plain = false;
  data::SplitOptions split;
  text::LsaOptions encoder;
  sid::SidOptions sid;
  rerank::SequenceOptions sasrec;
  funnel::UpstreamOptions upstream;
  rerank::PromptOptions prompt;
  rerank::PolicyOptions policy;
  rerank::MidtrainOptions midtrain;
  rerank::TeacherOptions teacher;
  rerank::SftOptions sft;
  rerank::RlOptions rl;
  rerank::RlOptions rl_fast;
  PolicyEvalOptions eval;
  eval::MetricOptions metrics;

  template <class V>
  void visit(V& v) {
    v("seed", seed, "seed of every stage");
    v("threads", threads, "threads; 0: every core");
    v("k", k, "candidates a slate");
    v("reward", reward, "gate of the RL reward: conditional or plain");
    v("compare_plain", compare_plain, "also train with the plain reward and show its copying");
    v.section("split", split);
    v.section("encoder", encoder);
    v.section("sid", sid);
    v.section("sasrec", sasrec);
    v.section("upstream", upstream);
    v.section("prompt", prompt);
    v.section("policy", policy);
    v.section("midtrain", midtrain);
    v.section("teacher", teacher);
    v.section("sft", sft);
    v.section("rl", rl);
    v.section("rl_fast", rl_fast);
    v.section("eval", eval);
    v.section("metrics", metrics);
  }
};

struct PipelineRequest {
  fs::path data, out;
  fs::path trainer;   // podium-train; empty: beside this program
  std::string until;  // last stage to run; empty: all
  PipelineOptions options;
};

// "demo": MovieLens-100K on two cores in minutes; "full": the defaults. Throws Error on others.
void apply_preset(const std::string& name, PipelineOptions& options);

std::string stage_names();  // "sid, sasrec-slates, ...", for --help

// Runs what is missing, in order. Returns the report (null when `until` stopped before it). Throws
// Error when a stage fails or is interrupted; the same request goes on from there.
Json run_pipeline(const PipelineRequest& request);

std::string report_table(const Json& report);  // for the terminal

}  // namespace podium::pipeline
