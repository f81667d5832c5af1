// What the stages do. Each writes into StageRun::result, reading only results of earlier stages.
#pragma once

#include <string>
#include <vector>

#include "podium/pipeline/stage.h"

namespace podium::pipeline {

// The text encoder (text/text_encoder.h), item_vectors.safetensors, sid.safetensors, sid.json; by
// an RQ-VAE also model/, as podium-train wrote it, whose peak memory it returns.
double write_sids(const StageRun& s);

// tokenizer.json
void write_tokenizer(const StageRun& s);

// What the mid-trained policy's own beam search lists for the targets of every phase, k items each:
// slates.json, valid.json and test.json (eval::write_results).
void write_beams(const StageRun& s);

// Sources, ranker and slates of every phase: see funnel/upstream_fit.h.
void write_upstream(const StageRun& s);

// traces.jsonl of the training slates (rerank/traces.h), and what they are worth in traces.json
// (trace_report.h). What a teacher behind an endpoint has answered lies in OUT/teacher.
void write_traces(const StageRun& s);

// valid.json and test.json (eval::write_results) and examples.json, of one policy directory.
void evaluate_policy_stage(const StageRun& s, const fs::path& policy, bool with_trace);

// report.json, report.html, results.json; published into the run's directory.
void write_run_report(const StageRun& s);
void publish_report(const RunContext& run, const fs::path& dir);

// bundle/: everything a server needs, self-contained; see funnel/bundle_files.h. Published as
// OUT/bundle.
void write_bundle(const StageRun& s);
void publish_bundle(const RunContext& run, const fs::path& dir);

// A podium-train subcommand with the stage's options as a TOML file; output in result/model,
// checkpoints in work/train. Returns its peak memory in MiB.
double run_trainer(const StageRun& s, const std::string& command,
                   const std::vector<std::string>& arguments);

}  // namespace podium::pipeline
