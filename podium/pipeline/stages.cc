#include "podium/pipeline/stages.h"

#include <fmt/format.h>

#include "podium/pipeline/endpoint_teacher.h"
#include "podium/pipeline/stage_bodies.h"
#include "podium/runtime/checkpoint.h"
#include "podium/sid/item_vectors.h"
#include "podium/text/bert.h"

namespace podium::pipeline {
namespace {

using Options = PipelineOptions;

// A body of this process.
std::function<double(const StageRun&)> here(void (*body)(const StageRun&)) {
  return [body](const StageRun& s) {
    body(s);
    return 0.0;
  };
}

Stage sid(Options& o) {
  Stage stage{.name = "sid", .help = "item text -> vectors -> semantic IDs"};
  stage.options.section("encoder", o.encoder);
  stage.options.section("sid", o.sid);
  if (o.encoder.model != "lsa") {  // what the directory holds counts, not its name alone
    stage.also = {{"text model", text::BertEncoder::identity_of(o.encoder.model)}};
  }
  if (o.sid.method == "rq-vae") {
    stage.options.section("split", o.split);
    stage.options.section("rqvae", o.rqvae);
    stage.curve = "RQ-VAE";
  }
  stage.body = write_sids;
  return stage;
}

// The three stages of a sequence model: one a phase, each going on from the one before.
template <class ModelOptions>
void add_sequence_model(Options& o, const std::string& model, ModelOptions& options,
                        const std::string& off, std::vector<Stage>& all) {
  std::string before;
  for (const std::string phase : {"slates", "valid", "test"}) {
    Stage stage{.name = fmt::format("{}-{}", model, phase),
                .help = fmt::format("{} on the events before phase {}'s targets", model, phase)};
    if (!before.empty()) stage.inputs = {before};
    if (options.text) stage.inputs.push_back("sid");
    stage.options.section("split", o.split);
    stage.options.section(model, options);
    stage.off = off;
    if (phase == "valid") stage.curve = model;  // the one that is validated meanwhile
    stage.body = [model, phase, before, text = options.text](const StageRun& s) {
      std::vector<std::string> arguments = {"--phase", phase};
      if (text) {
        arguments.insert(arguments.end(),
                         {"--item-vectors", s.run.dir("sid") / sid::kItemVectorsFile});
      }
      if (!before.empty()) arguments.insert(arguments.end(), {"--init", s.run.model(before)});
      return run_trainer(s, model, arguments);
    };
    before = stage.name;
    all.push_back(std::move(stage));
  }
}

Stage beam(Options& o) {
  Stage stage{.name = "beam",
              .help = "the mid-trained policy's own beam search: the lists to improve",
              .inputs = {"sid", "midtrain"}};
  stage.options("k", o.k, "candidates a slate");
  stage.options.section("split", o.split);
  stage.body = here(write_beams);
  return stage;
}

Stage upstream(Options& o) {
  Stage stage{.name = "upstream",
              .help = "sources, ranker, slates; results of every source and of the ranked blend"};
  stage.inputs = {"sid",         "sasrec-slates", "sasrec-valid", "sasrec-test",
                  "hstu-slates", "hstu-valid",    "hstu-test"};
  if (o.upstream.order == funnel::kGenerativeOrder) stage.inputs.push_back("beam");
  stage.options("k", o.k, "candidates a slate");
  stage.options.section("split", o.split);
  stage.options.section("upstream", o.upstream);
  stage.also = {{"further sources", retrieval::further_sources()}, {"slates", rerank::kSlateForm}};
  stage.results = true;
  stage.body = here(write_upstream);
  return stage;
}

// Where nothing of it is asked for, stages do not depend on it.
void add_adapters(Options& o, Stage& stage) {
  if (o.adapt.freeze || o.adapt.recompute || o.adapt.precision != "fp32") {
    stage.options.section("adapt", o.adapt);
  }
}

Stage tokenizer(Options& o) {
  Stage stage{.name = "tokenizer",
              .help =
                  "byte-level BPE over catalogue and trace phrases, or the backbone's, with the "
                  "SID tokens",
              .inputs = {"sid"}};
  stage.options.section("policy", o.policy);
  stage.also = {{"prompts", rerank::kPromptForm}};
  if (!o.policy.backbone.empty()) {  // what its files hold counts, not their name alone
    stage.also["backbone"] = runtime::checkpoint_identity(o.policy.backbone);
  }
  stage.body = here(write_tokenizer);
  return stage;
}

Stage traces(Options& o) {
  Stage stage{.name = "traces",
              .help = "the teacher's traces of the training slates, by rejection sampling",
              .inputs = {"sid", "tokenizer", "upstream"}};
  stage.options.section("prompt", o.prompt);
  stage.options.section("teacher", o.teacher);
  if (o.teacher.kind == "endpoint") {  // its instructions' text counts, not the file's name alone
    stage.options("max_trace", o.max_trace, "longest trace");
    stage.also = {{"instructions", sha256(chat_instructions(o.teacher))}};
  }
  stage.body = here(write_traces);
  return stage;
}

Stage midtrain(Options& o) {
  Stage stage{.name = "midtrain",
              .help = "the policy learns semantic IDs, captions, sequences",
              .inputs = {"sid", "tokenizer"}};
  stage.options.section("split", o.split);
  stage.options.section("policy", o.policy);
  stage.options.section("midtrain", o.midtrain);
  add_adapters(o, stage);
  stage.curve = "midtrain";
  stage.body = [](const StageRun& s) {
    return run_trainer(
        s, "midtrain",
        {"--sid", s.run.dir("sid"), "--tokenizer", s.run.dir("tokenizer") / "tokenizer.json",
         "--threads", std::to_string(s.run.threads)});
  };
  return stage;
}

// What SFT and RL are told beside their own options.
std::vector<std::string> policy_arguments(const StageRun& s, const std::string& from) {
  const fs::path slates = s.run.dir("upstream") / "slates";
  return {"--sid",          s.run.dir("sid"),
          "--policy",       s.run.model(from),
          "--slates",       slates / "slates",
          "--valid-slates", slates / "valid",
          "--threads",      std::to_string(s.run.threads)};
}

Stage sft(Options& o) {
  Stage stage{.name = "sft",
              .help = "supervised fine-tuning on the accepted traces",
              .inputs = {"upstream", "midtrain", "traces"}};
  stage.options("max_trace", o.max_trace, "longest trace");
  stage.options.section("prompt", o.prompt);
  stage.options.section("sft", o.sft);
  add_adapters(o, stage);
  stage.curve = "sft";
  stage.body = [](const StageRun& s) {
    auto arguments = policy_arguments(s, "midtrain");
    arguments.insert(arguments.end(), {"--traces", s.run.dir("traces")});
    return run_trainer(s, "sft", arguments);
  };
  return stage;
}

struct RlPlan {
  std::string name, help, from;  // the stage that it goes on from
  std::string section;           // of its options
  train::RlOptions* options;
  std::string reward;
  bool with_trace = true;
};

Stage rl(Options& o, const RlPlan& plan) {
  Stage stage{.name = plan.name, .help = plan.help, .inputs = {"upstream", plan.from}};
  stage.options("max_trace", o.max_trace, "longest trace");
  stage.options.section("prompt", o.prompt);
  stage.options.section(plan.section, *plan.options);
  add_adapters(o, stage);
  if (rerank::parse_reward(plan.options->rank).needs_facts()) {  // of the events before the slates
    stage.inputs.push_back("sid");
    stage.options.section("split", o.split);
  }
  stage.also = {{"reward", plan.reward}};
  stage.curve = plan.name;
  stage.body = [plan](const StageRun& s) {
    auto arguments = policy_arguments(s, plan.from);
    arguments.insert(arguments.end(), {"--reward", plan.reward});
    if (!plan.with_trace) arguments.push_back("--no-trace");
    return run_trainer(s, "rl", arguments);
  };
  return stage;
}

// The answers of a policy to the valid and test slates; "gr2-NAME" in the report.
Stage evaluation(Options& o, const std::string& name, const std::string& policy, bool with_trace) {
  Stage stage{.name = "eval-" + name,
              .help = fmt::format("the policy of stage {} on the valid and test slates", policy),
              .inputs = {"upstream", policy}};
  stage.options("max_trace", o.max_trace, "longest trace");
  stage.options("block", o.block, "names chosen from one state");
  stage.options.section("prompt", o.prompt);
  stage.options.section("eval", o.eval);
  stage.results = true;
  stage.policy = "gr2-" + name;
  stage.body = [policy, with_trace](const StageRun& s) {
    evaluate_policy_stage(s, s.run.model(policy), with_trace);
    return 0.0;
  };
  return stage;
}

// Reads every stage that has results.
Stage report(Options& o, const std::vector<Stage>& before) {
  Stage stage{.name = "report", .help = "report.json, report.html"};
  for (const Stage& other : before) {
    if (other.results) stage.inputs.push_back(other.name);
  }
  stage.options.section("metrics", o.metrics);
  stage.body = here(write_run_report);
  stage.publish = publish_report;
  return stage;
}

Stage bundle(Options& o) {
  Stage stage{.name = "bundle",
              .help = "everything a server needs",
              .inputs = {"sid", "upstream", "rl", "rl-fast"}};
  stage.options("k", o.k, "candidates a slate");
  stage.options("max_trace", o.max_trace, "longest trace");
  stage.options("block", o.block, "names chosen from one state");
  stage.options.section("prompt", o.prompt);
  stage.body = here(write_bundle);
  stage.publish = publish_bundle;
  return stage;
}

}  // namespace

std::vector<Stage> stage_table(PipelineOptions& o) {
  std::vector<Stage> all;
  const auto add = [&](Stage stage, const std::string& off = "") {
    stage.off = off;
    all.push_back(std::move(stage));
  };
  const bool generative = o.upstream.order == funnel::kGenerativeOrder;
  const auto add_base = [&] {
    add(midtrain(o));
    add(beam(o), generative ? "" : "upstream.order is not generative");
  };
  const std::string no_plain = o.compare_plain ? "" : "compare_plain is off";
  add(sid(o));
  add_sequence_model(o, "sasrec", o.sasrec, o.sasrec.epochs > 0 ? "" : "sasrec.epochs is 0", all);
  add_sequence_model(o, "hstu", o.hstu,
                     o.upstream.sources.hstu ? "" : "upstream.sources.hstu is off", all);
  if (generative) {
    add(tokenizer(o));
    add_base();
  }
  add(upstream(o));
  if (!generative) add(tokenizer(o));
  add(traces(o));
  if (!generative) add_base();
  add(sft(o));
  add(rl(o, {"rl", "reasoning RL", "sft", "rl", &o.rl, o.reward}));
  add(rl(o, {"rl-fast", "internalised: RL without a trace", "rl", "rl_fast", &o.rl_fast, o.reward,
             false}));
  add(rl(o, {"rl-plain", "RL with the ungated reward, to show the copying", "sft", "rl", &o.rl,
             "plain"}),
      no_plain);
  add(evaluation(o, "sft", "sft", true));
  add(evaluation(o, "rl", "rl", true));
  add(evaluation(o, "fast", "rl-fast", false));
  add(evaluation(o, "plain", "rl-plain", true), no_plain);
  add(report(o, all));
  add(bundle(o));
  return all;
}

std::string stage_names() {
  PipelineOptions options;
  std::string names;
  for (const Stage& stage : stage_table(options)) {
    names += (names.empty() ? "" : ", ") + stage.name;
  }
  return names;
}

std::string stage_help() {
  PipelineOptions options;
  std::string text;
  for (const Stage& stage : stage_table(options)) {
    text += fmt::format("  {:<14} {}{}\n", stage.name, stage.help,
                        stage.off.empty() ? "" : " (by default: " + stage.off + ")");
  }
  return text;
}

std::vector<fs::path> result_files(const fs::path& run, const std::string& split) {
  PipelineOptions options;
  std::vector<fs::path> files;
  for (const Stage& stage : stage_table(options)) {
    const fs::path file = run / "stages" / stage.name / (split + ".json");
    if (stage.results && fs::exists(file)) files.push_back(file);
  }
  return files;
}

}  // namespace podium::pipeline
