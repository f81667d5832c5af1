#include "podium/pipeline/pipeline_stages.h"

#include <fmt/format.h>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/progress.h"
#include "podium/funnel/bundle.h"
#include "podium/funnel/upstream_fit.h"
#include "podium/pipeline/pipeline_report.h"
#include "podium/pipeline/process.h"
#include "podium/rerank/vocabulary.h"

namespace podium::pipeline {
namespace {

constexpr int kPhraseRepeats = 200;  // so that the traces' phrases become few tokens

const std::vector<std::pair<std::string, std::string>> kCurves = {
    {"sasrec", "sasrec-valid"}, {"midtrain", "midtrain"}, {"sft", "sft"}, {"rl", "rl"},
    {"rl-fast", "rl-fast"},     {"rl-plain", "rl-plain"}};

fs::path slates_dir(const RunContext& run, const std::string& phase) {
  return run.runner.dir("upstream") / "slates" / phase;
}

fs::path upstream_results(const RunContext& run, const std::string& phase) {
  return run.runner.dir("upstream") / (phase + ".json");
}

eval::StageResult upstream_result(const RunContext& run, const std::string& phase) {
  eval::SavedResults saved = eval::read_results(upstream_results(run, phase));
  for (auto& stage : saved.stages) {
    if (stage.stage == "upstream") return std::move(stage);
  }
  throw Error("the upstream's results are missing", "remove the directory and run again",
              run.runner.dir("upstream").string());
}

}  // namespace

PolicyWorld::PolicyWorld(const RunContext& run, text::Tokenizer tokens, sid::SidModel sid_model)
    : tokenizer(std::move(tokens)),
      sids(std::move(sid_model)),
      vocabulary(tokenizer, sids.table.levels, sids.table.codes_per_level),
      prompts{tokenizer, vocabulary, sids.table, &run.dataset, run.options().prompt} {}

std::unique_ptr<PolicyWorld> PolicyWorld::open(const RunContext& run) {
  return std::make_unique<PolicyWorld>(
      run, text::Tokenizer::load(run.runner.dir("tokenizer") / "tokenizer.json"),
      sid::load_sid(run.runner.dir("sid")));
}

void write_sids(const RunContext& run, const fs::path& result) {
  const data::Dataset& dataset = run.dataset;
  const PipelineOptions& options = run.options();
  const auto text_of = [&](size_t i) { return dataset.item_text(data::ItemIndex(i)); };
  const auto encoder =
      text::fit_text_encoder(dataset.items(), text_of, options.encoder, run.seed(), run.threads);
  const std::vector<float> vectors =
      text::encode_texts(*encoder, dataset.items(), text_of, run.threads);
  const sid::SidModel model =
      sid::fit_rq_kmeans(vectors, options.encoder.dim, options.sid, run.seed(), run.threads);
  sid::save_sid(result, model);
  encoder->save(result);
  artifact::SafetensorsWriter writer;
  writer.add<float>("vectors", vectors, {int64_t(dataset.items()), options.encoder.dim});
  writer.write(result / "item_vectors.safetensors");
  log_info(fmt::format("semantic IDs: {} levels of {} codes, {:.2f} % unique", model.table.levels,
                       model.table.codes_per_level, 100 * model.table.uniqueness()));
}

void write_upstream(const RunContext& run, const fs::path& result) {
  const artifact::SafetensorsFile vectors(run.runner.dir("sid") / "item_vectors.safetensors");
  const auto sasrec = [&](const char* stage) {
    return run.options().sasrec.epochs > 0 ? run.runner.dir(stage) / "model" : fs::path();
  };
  funnel::fit_upstream({.dataset = &run.dataset,
                        .split = &run.split,
                        .item_vectors = vectors.get<float>("vectors"),
                        .dim = size_t(run.options().encoder.dim),
                        .sasrec_slates = sasrec("sasrec-slates"),
                        .sasrec_valid = sasrec("sasrec-valid"),
                        .sasrec_test = sasrec("sasrec-test"),
                        .k = size_t(run.options().k),
                        .seed = run.seed(),
                        .threads = run.threads,
                        .options = run.options().upstream},
                       result);
}

void write_tokenizer(const RunContext& run, const fs::path& result) {
  const sid::SidModel sids = sid::load_sid(run.runner.dir("sid"));
  std::vector<std::string> texts;
  for (data::ItemIndex i = 0; i < run.dataset.items(); ++i)
    texts.push_back(run.dataset.item_text(i));
  for (const std::string& phrase : rerank::trace_phrases()) {
    texts.insert(texts.end(), kPhraseRepeats, phrase);
  }
  const auto added = rerank::added_tokens(sids.table.levels, sids.table.codes_per_level);
  const int vocab = run.options().policy.text_tokens + int(added.size());
  text::Tokenizer::train(texts, vocab, added).save(result / "tokenizer.json");
}

void evaluate_stage(const RunContext& run, const fs::path& policy, const std::string& stage,
                    bool with_trace, const fs::path& result) {
  const auto world = PolicyWorld::open(run);
  const runtime::Engine engine = runtime::Engine::open(policy);
  PolicyEvalRequest request{.stage = stage,
                            .with_trace = with_trace,
                            .seed = run.seed(),
                            .threads = run.threads,
                            .options = run.options().eval};
  for (const data::Phase* phase : {&run.split.valid, &run.split.test}) {
    const auto slates = rerank::read_slates(slates_dir(run, phase->name));
    const PolicyEvaluation evaluation =
        evaluate_policy(engine, world->prompts, slates, upstream_result(run, phase->name), request);
    eval::write_results(result / (phase->name + ".json"), eval::target_set(*phase),
                        {evaluation.result});
    if (phase == &run.split.test) {
      write_json_atomic(result / "examples.json", to_json(evaluation.examples));
    }
  }
}

Json write_run_report(const RunContext& run, const std::vector<std::string>& policies,
                      const fs::path& result) {
  const auto slates = rerank::read_slates(slates_dir(run, "test"));
  const sid::SidModel sids = sid::load_sid(run.runner.dir("sid"));
  ReportSources sources;
  sources.dataset = &run.dataset;
  sources.phase = &run.split.test;
  sources.results.push_back(upstream_results(run, "test"));
  for (const std::string& policy : policies) {
    const fs::path dir = run.runner.dir("eval-" + policy);
    sources.results.push_back(dir / "test.json");
    sources.traces.emplace_back("gr2-" + policy, dir / "examples.json");
  }
  for (const auto& [name, stage] : kCurves) {
    sources.curves.emplace_back(name, run.runner.dir(stage) / "model" / "metrics.jsonl");
  }
  sources.slates = &slates;
  sources.sids = &sids.table;
  sources.timings = run.runner.timings();
  sources.protocol = run.options().split.protocol;
  sources.seen = run.options().upstream.sources.seen;
  sources.seed = run.options().seed;
  sources.metrics = run.options().metrics;
  sources.metrics.k = run.options().k;
  return eval::write_report(result, collect_report(sources), run.threads);
}

void write_bundle(const RunContext& run, const fs::path& result) {
  const PipelineOptions& options = run.options();
  funnel::write_bundle_files({.dataset = run.request.data,
                              .sid = run.runner.dir("sid"),
                              .upstream = run.runner.dir("upstream") / "serving",
                              .policy = run.runner.dir("rl") / "model",
                              .policy_fast = run.runner.dir("rl-fast") / "model",
                              .tokenizer = run.runner.dir("tokenizer") / "tokenizer.json",
                              .options = {.k = options.k,
                                          .max_trace = options.eval.max_trace,
                                          .upstream = options.upstream,
                                          .prompt = options.prompt},
                              .content = {{"dataset", run.dataset.name()}, {"k", options.k}}},
                             result / "bundle");
}

double run_trainer(const RunContext& run, const std::string& command,
                   const std::vector<std::string>& arguments, const std::string& config,
                   const StageDirs& dirs) {
  const fs::path program =
      run.request.trainer.empty() ? sibling_program("podium-train") : run.request.trainer;
  const fs::path toml = dirs.work / "options.toml";
  write_file_atomic(toml, config);
  std::vector<std::string> all = {program,    command,
                                  "--data",   run.request.data,
                                  "--out",    dirs.result / "model",
                                  "--work",   dirs.work / "train",
                                  "--config", toml,
                                  "--seed",   std::to_string(run.options().seed)};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_child(all).peak_mb;
}

}  // namespace podium::pipeline
