#include "podium/pipeline/stage_bodies.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/funnel/bundle_files.h"
#include "podium/funnel/upstream_fit.h"
#include "podium/pipeline/endpoint_teacher.h"
#include "podium/pipeline/pipeline_report.h"
#include "podium/pipeline/process.h"
#include "podium/pipeline/retrieval_eval.h"
#include "podium/pipeline/trace_report.h"
#include "podium/rerank/evidence_teacher.h"
#include "podium/rerank/prompt_world.h"
#include "podium/rerank/traces.h"
#include "podium/sid/item_vectors.h"
#include "podium/text/encoder.h"

namespace podium::pipeline {
namespace {

constexpr int kPhraseRepeats = 200;  // so that the traces' phrases become few tokens

eval::StageResult upstream_result(const RunContext& run, const std::string& phase) {
  eval::SavedResults saved = eval::read_results(run.dir("upstream") / (phase + ".json"));
  for (auto& stage : saved.stages) {
    if (stage.stage == "upstream") return std::move(stage);
  }
  throw Error("the upstream's results are missing", "remove the directory and run again",
              run.dir("upstream").string());
}

std::vector<rerank::Slate> slates_of(const RunContext& run, const data::Phase& phase) {
  return funnel::slates_by_target(run.dir("upstream") / "slates" / phase.name, phase);
}

rerank::PromptWorld prompt_world(const RunContext& run) {
  return {run.dataset, run.dir("sid"), run.dir("tokenizer") / "tokenizer.json",
          run.options().prompt};
}

// By an RQ-VAE over the vectors that the stage has written.
double learn_sids(const StageRun& s) {
  PipelineOptions options = s.run.options();
  Stage fit = s.stage;
  fit.options = {};  // podium-train reads no [encoder]
  fit.options.section("split", options.split);
  fit.options.section("sid", options.sid);
  fit.options.section("rqvae", options.rqvae);
  const double peak = run_trainer({s.run, fit, s.table, s.result, s.work}, "rqvae",
                                  {"--item-vectors", s.result / sid::kItemVectorsFile, "--threads",
                                   std::to_string(s.run.threads)});
  for (const char* file : {"sid.safetensors", "sid.json"}) {
    fs::copy_file(s.result / "model" / file, s.result / file);
  }
  return peak;
}

}  // namespace

double write_sids(const StageRun& s) {
  const data::Dataset& dataset = s.run.dataset;
  const PipelineOptions& options = s.run.options();
  const auto text_of = [&](size_t i) { return dataset.item_text(data::ItemIndex(i)); };
  const auto [encoder, vectors] = text::encode_catalogue(
      dataset.items(), text_of, options.encoder, s.run.seed(), s.run.threads, options.text_cache);
  encoder->save(s.result);
  sid::save_item_vectors(s.result, vectors, encoder->dim());
  if (options.sid.method == "rq-vae") return learn_sids(s);
  const sid::SidModel model =
      sid::fit_rq_kmeans(vectors, int(encoder->dim()), options.sid, s.run.seed(), s.run.threads);
  sid::save_sid(s.result, model);
  log_info(fmt::format("semantic IDs: {} levels of {} codes, {:.2f} % unique", model.table.levels,
                       model.table.codes_per_level, 100 * model.table.uniqueness()));
  return 0;
}

void write_beams(const StageRun& s) {
  const RunContext& run = s.run;
  const auto k = size_t(run.options().k);
  RetrievalRequest request{.policy = run.model("midtrain"),
                           .sid = run.dir("sid"),
                           .options = {.over_trie = run.options().midtrain.codes_over == "trie"},
                           .threads = run.threads,
                           .listed = k};
  request.options.beam = std::max(request.options.beam, int(2 * k));
  for (const data::Phase* phase : {&run.split.slates, &run.split.valid, &run.split.test}) {
    eval::write_results(s.result / (phase->name + ".json"), eval::target_set(*phase),
                        {retrieve_by_policy(run.dataset, *phase, request)});
  }
}

void write_upstream(const StageRun& s) {
  const RunContext& run = s.run;
  const PipelineOptions& options = run.options();
  const sid::ItemVectors vectors(run.dir("sid") / sid::kItemVectorsFile, run.dataset.items());
  const auto inputs_of = [&](const std::string& phase) {
    funnel::PhaseInputs inputs;
    if (options.sasrec.epochs > 0) inputs.sasrec = run.model("sasrec-" + phase);
    if (options.upstream.sources.hstu) inputs.hstu = run.model("hstu-" + phase);
    if (options.upstream.order == funnel::kGenerativeOrder) {
      inputs.lists = eval::read_results(run.dir("beam") / (phase + ".json")).stages.at(0).lists;
    }
    return inputs;
  };
  funnel::fit_upstream({.dataset = &run.dataset,
                        .split = &run.split,
                        .item_vectors = vectors.values,
                        .dim = vectors.dim,
                        .slates = inputs_of("slates"),
                        .valid = inputs_of("valid"),
                        .test = inputs_of("test"),
                        .k = size_t(options.k),
                        .seed = run.seed(),
                        .threads = run.threads,
                        .options = options.upstream},
                       s.result);
}

void write_tokenizer(const StageRun& s) {
  const sid::SidModel sids = sid::load_sid(s.run.dir("sid"));
  const auto added = rerank::added_tokens(sids.table.levels, sids.table.codes_per_level);
  const train::PolicyOptions& policy = s.run.options().policy;
  const fs::path file = s.result / "tokenizer.json";
  if (!policy.backbone.empty()) {
    const fs::path from = text::tokenizer_of(policy.backbone);
    return text::Tokenizer::load(from).extended(added).save(file);
  }
  std::vector<std::string> texts;
  for (data::ItemIndex i = 0; i < s.run.dataset.items(); ++i) {
    texts.push_back(s.run.dataset.item_text(i));
  }
  for (const std::string& phrase : rerank::trace_phrases()) {
    texts.insert(texts.end(), kPhraseRepeats, phrase);
  }
  text::Tokenizer::train(texts, policy.text_tokens + int(added.size()), added).save(file);
}

void write_traces(const StageRun& s) {
  const RunContext& run = s.run;
  const rerank::PromptWorld world = prompt_world(run);
  const rerank::TeacherOptions& options = run.options().teacher;
  const auto slates = rerank::read_slates(run.dir("upstream") / "slates" / "slates");
  const auto drawn_by = [&](const rerank::Teacher& teacher) {
    return rerank::draw_traces(world.prompts, slates, teacher, options, run.seed(), run.threads);
  };
  Json endpoint;
  std::vector<rerank::Trace> traces;
  if (options.kind == "endpoint") {
    const std::string text = chat_instructions(options);
    write_file_atomic(s.result / "teacher_template.txt", text);
    llm::ChatClient client(run.options().endpoint, llm::api_key(),
                           run.request.out / "teacher" / "answers.jsonl");
    AnswerFlaws flaws;
    traces = drawn_by(EndpointTeacher(
        {options, run.options().max_trace, rerank::parse_chat_template(text, options.prompt_file)},
        client, flaws));
    endpoint = to_json(client.usage(), flaws);
  } else {
    traces = drawn_by(rerank::EvidenceTeacher(options.temperature));
  }
  rerank::write_traces(s.result, world.tokenizer, traces);
  const TraceReport report = trace_report(world.prompts, slates, traces);
  log_info(in_words(report));
  write_json_atomic(s.result / "traces.json", to_json(report, options.kind, endpoint));
}

void evaluate_policy_stage(const StageRun& s, const fs::path& policy, bool with_trace) {
  const RunContext& run = s.run;
  const rerank::PromptWorld world = prompt_world(run);
  // In the precision that is served, so that what is measured is what is served.
  const auto engine = runtime::Engine::open(policy, {.precision = runtime::kServedPrecision});
  const PolicyEvalRequest request{.stage = s.stage.policy,
                                  .with_trace = with_trace,
                                  .seed = run.seed(),
                                  .threads = run.threads,
                                  .max_trace = run.options().max_trace,
                                  .block = run.options().block,
                                  .options = run.options().eval};
  for (const data::Phase* phase : {&run.split.valid, &run.split.test}) {
    const PolicyEvaluation evaluation = evaluate_policy(
        engine, world.prompts, slates_of(run, *phase), upstream_result(run, phase->name), request);
    eval::write_results(s.result / (phase->name + ".json"), eval::target_set(*phase),
                        {evaluation.result});
    if (phase == &run.split.test) {
      write_json_atomic(s.result / "examples.json", to_json(evaluation.examples));
    }
  }
}

void write_run_report(const StageRun& s) {
  const RunContext& run = s.run;
  const auto slates = slates_of(run, run.split.test);
  const sid::SidModel sids = sid::load_sid(run.dir("sid"));
  ReportSources sources;
  sources.dataset = &run.dataset;
  sources.phase = &run.split.test;
  for (const Stage& stage : s.table) {
    const fs::path dir = run.dir(stage.name);
    if (stage.results) sources.results.push_back(dir / "test.json");
    if (!stage.policy.empty()) sources.traces.emplace_back(stage.policy, dir / "examples.json");
    if (!stage.curve.empty()) {
      sources.curves.emplace_back(stage.curve, run.model(stage.name) / "metrics.jsonl");
    }
  }
  sources.slates = &slates;
  sources.sids = &sids.table;
  sources.timings = run.runner.timings();
  sources.protocol = run.options().split.protocol;
  sources.seen = run.options().upstream.sources.seen;
  sources.order = run.options().upstream.order;
  sources.seed = run.options().seed;
  sources.metrics = run.options().metrics;
  sources.metrics.k = run.options().k;
  sources.upstream = read_json(run.dir("upstream") / "upstream.json");
  sources.teacher = read_json(run.dir("traces") / "traces.json");
  eval::write_report(s.result, collect_report(sources), run.threads);
}

void publish_report(const RunContext& run, const fs::path& dir) {
  for (const char* file : {"report.json", "report.html", "results.json"}) {
    write_file_atomic(run.request.out / file, read_file(dir / file));
  }
}

void write_bundle(const StageRun& s) {
  const RunContext& run = s.run;
  const PipelineOptions& options = run.options();
  funnel::write_bundle_files({.dataset = run.request.data,
                              .sid = run.dir("sid"),
                              .upstream = run.dir("upstream") / "serving",
                              .policy = run.model("rl"),
                              .policy_fast = run.model("rl-fast"),
                              .tokenizer = run.dir("tokenizer") / "tokenizer.json",
                              .options = {.k = options.k,
                                          .max_trace = options.max_trace,
                                          .block = options.block,
                                          .upstream = options.upstream,
                                          .prompt = options.prompt},
                              .content = {{"dataset", run.dataset.name()}, {"k", options.k}}},
                             s.result / "bundle");
}

void publish_bundle(const RunContext& run, const fs::path& dir) {
  const fs::path bundle = dir / "bundle", copy = run.request.out / "bundle";
  const auto manifest_of = [](const fs::path& of) { return read_file(of / "manifest.json"); };
  if (fs::exists(copy / "manifest.json") && manifest_of(copy) == manifest_of(bundle)) return;
  artifact::AtomicDir target(copy, "bundle");
  fs::copy(bundle, target.path(),
           fs::copy_options::recursive | fs::copy_options::create_hard_links);
  target.commit();
}

double run_trainer(const StageRun& s, const std::string& command,
                   const std::vector<std::string>& arguments) {
  const PipelineRequest& request = s.run.request;
  const fs::path program =
      request.trainer.empty() ? sibling_program("podium-train") : request.trainer;
  const fs::path toml = s.work / "options.toml", error = s.work / "error.json";
  write_file_atomic(toml, s.stage.options.to_toml());
  std::vector<std::string> all = {program};
  all.insert(all.end(), {"--error-file", error, command, "--data", request.data, "--out",
                         s.result / "model", "--work", s.work / "train", "--config", toml, "--seed",
                         std::to_string(request.options.seed)});
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_child(all, error).peak_mb;
}

}  // namespace podium::pipeline
