// The bodies of the pipeline's stages; internal to pipeline.cc. Each writes files into the stage's
// result directory, reading only directories of earlier stages.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "podium/pipeline/pipeline.h"
#include "podium/pipeline/stage_runner.h"

namespace podium::pipeline {

// What all stages share. Immutable while stages run.
struct RunContext {
  const PipelineRequest& request;
  const data::Dataset& dataset;
  const data::Split& split;
  const StageRunner& runner;
  int threads;

  const PipelineOptions& options() const { return request.options; }
  uint64_t seed() const { return uint64_t(request.options.seed); }
};

// Tokenizer, vocabulary and SIDs of a run, and the prompts made of them.
struct PolicyWorld {
  text::Tokenizer tokenizer;
  sid::SidModel sids;
  rerank::Vocabulary vocabulary;
  rerank::PromptContext prompts;

  static std::unique_ptr<PolicyWorld> open(const RunContext& run);
  PolicyWorld(const RunContext& run, text::Tokenizer tokenizer, sid::SidModel sids);
  PolicyWorld(const PolicyWorld&) = delete;
};

// text_encoder.safetensors, item_vectors.safetensors, sid.safetensors, sid.json
void write_sids(const RunContext& run, const fs::path& result);

// tokenizer.json
void write_tokenizer(const RunContext& run, const fs::path& result);

// Sources, ranker and slates of every phase; slates/{slates,valid,test}/, {valid,test}.json with
// the results of each source and of the ranked blend ("upstream").
void write_upstream(const RunContext& run, const fs::path& result);

// valid.json and test.json (eval::write_results) and examples.json, of one policy directory.
void evaluate_stage(const RunContext& run, const fs::path& policy, const std::string& stage,
                    bool with_trace, const fs::path& result);

// report.json, report.html, results.json; returns report.json's content.
Json write_run_report(const RunContext& run, const std::vector<std::string>& policies,
                      const fs::path& result);

// bundle/: everything a server needs, self-contained; see bundle.h.
void write_bundle(const RunContext& run, const fs::path& result);

// A podium-train subcommand with its options as a TOML file; output in result/model, checkpoints in
// work/train. Returns its peak memory in MiB.
double run_trainer(const RunContext& run, const std::string& command,
                   const std::vector<std::string>& arguments, const std::string& config,
                   const StageDirs& dirs);

}  // namespace podium::pipeline
