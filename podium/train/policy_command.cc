#include "podium/train/policy_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "podium/artifact/manifest.h"
#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/data/content_key.h"
#include "podium/data/split_options.h"
#include "podium/rerank/prompt_world.h"
#include "podium/rerank/run_facts.h"
#include "podium/rerank/traces.h"
#include "podium/runtime/checkpoint.h"
#include "podium/train/command_options.h"
#include "podium/train/midtrain.h"
#include "podium/train/new_policy.h"
#include "podium/train/policy_data.h"
#include "podium/train/policy_options.h"
#include "podium/train/recover.h"
#include "podium/train/rl.h"
#include "podium/train/sft.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

using rerank::PromptContext;

// All stages understand one options file; each reads its own sections of it.
struct PolicyArguments {
  std::string data, sid, tokenizer, policy, teacher, slates, valid_slates, traces, out, work;
  std::string phase = "slates";  // of mid-training
  std::string device = "cpu";
  int64_t seed = 1;
  int threads = 0;
  bool no_trace = false;
  int max_trace = 96;
  data::SplitOptions split;
  rerank::PromptOptions prompt;
  PolicyOptions shape;
  AdaptOptions adapt;
  MidtrainOptions midtrain;
  SftOptions sft;
  RlOptions rl, rl_fast;  // rl_fast: without a trace
  PruneOptions prune;

  template <class V>
  void visit(V& v) {
    v("reward", rl.gate,
      "gate of the RL reward: conditional pays no copies, improving nothing that is no better",
      one_of({"conditional", "improving", "plain"}));
    v("max_trace", max_trace, "longest reasoning trace, tokens", between(1, 1024));
    v.section("split", split);
    v.section("prompt", prompt);
    v.section("policy", shape);
    v.section("adapt", adapt);
    v.section("midtrain", midtrain);
    v.section("sft", sft);
    v.section("rl", rl);
    v.section("rl_fast", rl_fast);
    v.section("prune", prune);
  }
};

// Of everything that a stage's result depends on; the thread count does not belong to it.
std::string fingerprint_of(PolicyArguments& a, const std::string& stage) {
  std::string text = fmt::format("6|{}|{}|{}|{}|{}|", stage, a.phase, a.seed, a.no_trace,
                                 data::content_key(a.data));
  text += OptionList(a).values().dump() + "|";
  for (const fs::path& file :
       {fs::path(a.sid) / "sid.safetensors", fs::path(a.tokenizer),
        fs::path(a.policy) / "model.safetensors", fs::path(a.teacher) / "model.safetensors",
        fs::path(a.slates) / "slates.safetensors", fs::path(a.valid_slates) / "slates.safetensors",
        fs::path(a.traces) / "traces.jsonl"}) {
    text += hash_if_there(file) + "|";
  }
  if (!a.shape.backbone.empty()) text += runtime::checkpoint_identity(a.shape.backbone);
  if (a.device != "cpu") text += a.device;
  return sha256(text);
}

StageJob job_of(PolicyArguments& a, const std::string& stage) {
  const std::vector<fs::path> inputs = {a.data,    a.sid,    a.tokenizer,    a.policy,
                                        a.teacher, a.slates, a.valid_slates, a.traces};
  const GroupSettings processes = group_settings_from_environment();
  StageJob job;
  job.device = device_of(a.device);
  job.group = ProcessGroup(processes);
  if (!job.group.leads()) set_quiet(true);
  job.work = work_folder(a.out, "policy", a.work, inputs);
  job.seed = uint64_t(a.seed);
  job.threads = a.threads > 0 ? a.threads : std::max(1, default_threads() / processes.local_size);
  job.fingerprint = fingerprint_of(a, stage);
  job.group.check_equal("options or data", job.fingerprint, "start all with the same command");
  if (job.group.leads()) artifact::claim_work(job.work);
  return job;
}

void write_files(const PolicyArguments& a, const StageJob& job, const Qwen3& model,
                 const text::Tokenizer& tokenizer, const Json& stats) {
  artifact::AtomicDir out(a.out, "policy");
  save_policy(out.path(), *model, tokenizer);
  write_json_atomic(out.path() / "stats.json", stats);
  write_file_atomic(out.path() / "metrics.jsonl", read_file(job.work / "metrics.done.jsonl"));
  artifact::write_manifest(out.path(), "policy", 1, Json::object());
  out.commit();
  fs::remove_all(job.work);
}

void write_policy(const PolicyArguments& a, const StageJob& job, const Qwen3& model,
                  const text::Tokenizer& tokenizer, const Json& stats) {
  job.group.barrier();  // none reads the work directory any more
  if (job.group.leads()) write_files(a, job, model, tokenizer, stats);
  job.group.barrier();  // whoever ends without an error has seen it written
}

Qwen3 first_policy(const PolicyOptions& shape, const rerank::PromptWorld& world, uint64_t seed) {
  Qwen3 model = shape.backbone.empty()
                    ? new_policy(rerank::model_spec(shape.size, world.tokenizer.vocab()),
                                 world.vocabulary, seed)
                    : policy_from(shape.backbone, world.tokenizer, world.vocabulary, seed);
  log_info(fmt::format("policy {}: {} parameters, vocabulary {}, {}",
                       shape.backbone.empty() ? shape.size : shape.backbone,
                       model->spec.parameters(), model->spec.vocab, torch_description()));
  return model;
}

void adapt(const AdaptOptions& options, const rerank::PromptWorld& world, const StageJob& job,
           Qwen3& model) {
  model->adapt(
      options,
      rerank::first_own_token(world.tokenizer, world.sids.levels, world.sids.codes_per_level),
      job.seed);
  if (!options.freeze) return;
  int64_t count = 0;
  for (const torch::Tensor& part : model->learnt->parts) count += part.numel();
  log_info(fmt::format("the backbone is frozen: {} of {} parameters learn", count,
                       model->spec.parameters()));
}

void run_midtrain(PolicyArguments& a) {
  setup_torch(/*threads=*/1, uint64_t(a.seed));  // the shards are the parallelism
  const StageJob job = job_of(a, "midtrain");
  const data::Dataset dataset = data::Dataset::open(a.data);
  const rerank::PromptWorld world(dataset, a.sid, a.tokenizer, a.prompt);
  const data::Split split = data::make_split(dataset, a.split);
  Qwen3 model = first_policy(a.shape, world, job.seed);
  adapt(a.adapt, world, job, model);
  const data::View& view = data::phase_of(split, a.phase).fit;
  const MidtrainSource source(world.prompts, view, a.midtrain, job.seed);
  const Json stats = midtrain(model, source, a.midtrain, job);
  write_policy(a, job, model, world.tokenizer, stats);
}

// SFT, RL and pruning: a policy, slates, more of the policy. train(model, prompts, slates, job) ->
// stats.
template <class Train>
void run_on_slates(PolicyArguments& a, const std::string& stage, const Train& train) {
  setup_torch(/*threads=*/1, uint64_t(a.seed));
  const StageJob job = job_of(a, stage);
  const data::Dataset dataset = data::Dataset::open(a.data);
  const rerank::PromptWorld world(dataset, a.sid, fs::path(a.policy) / "tokenizer.json", a.prompt);
  const SlateSets slates = read_slate_sets(a.slates, a.valid_slates);
  Qwen3 model = start_policy(a.policy, world, slates, job.seed);
  adapt(a.adapt, world, job, model);
  log_info(fmt::format("{}: {} slates to train on, {} to validate", stage, slates.train.size(),
                       slates.valid.size()));
  write_policy(a, job, model, world.tokenizer, train(model, world.prompts, slates, job));
}

void run_sft(PolicyArguments& a) {
  run_on_slates(a, "sft",
                [&](Qwen3& model, const PromptContext& prompts, const SlateSets& slates,
                    const StageJob& job) {
                  return sft(model, prompts, slates, rerank::read_traces(a.traces, prompts), a.sft,
                             job);
                });
}

Qwen3 load_teacher(const fs::path& dir, const rerank::ModelSpec& student) {
  Qwen3 teacher = load_policy(dir);
  const rerank::ModelSpec& spec = teacher->spec;
  if (spec.vocab == student.vocab && spec.text_width == student.text_width &&
      spec.numbers == student.numbers) {
    return teacher;
  }
  throw Error("the teacher reads other tokens, words or numbers than the student",
              "train both on one tokenizer and on the same slates", dir.string());
}

void run_rl(PolicyArguments& a) {
  const RlOptions& options = a.no_trace ? a.rl_fast : a.rl;
  run_on_slates(a, "rl",
                [&](Qwen3& model, const PromptContext& prompts, const SlateSets& slates,
                    const StageJob& job) {
                  // Facts of the events that the slates' own sources were fitted on.
                  const rerank::RewardSpec reward = rerank::parse_reward(options.rank);
                  std::optional<rerank::RunFacts> known;
                  std::optional<rerank::SlateClicks> clicks;
                  if (reward.needs_facts()) {
                    const data::Split split = data::make_split(*prompts.dataset, a.split);
                    known.emplace(split.slates.fit, a.sid);
                    if (reward.has(rerank::RewardTerm::kClicks)) {
                      clicks = rerank::SlateClicks::of(split);
                    }
                  }
                  std::optional<Qwen3> teacher;
                  if (!a.teacher.empty()) {
                    teacher = load_teacher(a.teacher, model->spec);
                    (*teacher)->to(job.device);
                  }
                  RlPlan plan{options, !a.no_trace, known ? &known->facts : nullptr,
                              teacher ? teacher->get() : nullptr};
                  plan.clicks = clicks ? &*clicks : nullptr;
                  return reinforce(model, prompts, slates, plan, job);
                });
}

void run_prune(PolicyArguments& a) {
  run_on_slates(a, "prune",
                [&](Qwen3& model, const PromptContext& prompts, const SlateSets& slates,
                    const StageJob& job) { return prune(model, prompts, slates, a.prune, job); });
}

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& help,
                      const std::shared_ptr<PolicyArguments>& a, void (*run)(PolicyArguments&)) {
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("--data", a->data, "dataset directory")->required();
  command->add_option("--sid", a->sid, "semantic-ID directory")->required();
  command->add_option("--out", a->out, "policy directory to write")->required();
  command->add_option("--work", a->work, "where the checkpoint lives (default: OUT.work)");
  command
      ->add_option("--device", a->device,
                   "where gradients are computed: cpu or cuda, see docs/scale.md")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  add_options(*command, process_options(a->seed, a->threads), OptionList(*a),
              "TOML file of options, see `podium config`", [a, run] {
                a->rl.max_trace = a->rl_fast.max_trace = a->sft.max_trace = a->max_trace;
                a->rl_fast.gate = a->rl.gate;
                run(*a);
              });
  return command;
}

void add_slate_options(CLI::App& command, PolicyArguments& a) {
  command.add_option("--policy,--init", a.policy, "policy directory to go on from")->required();
  command.add_option("--slates", a.slates, "slates to train on")->required();
  command.add_option("--valid-slates", a.valid_slates,
                     "slates to validate on (default: a tenth of the others, held out)");
}

}  // namespace

void add_policy_commands(CLI::App& app) {
  auto for_midtrain = std::make_shared<PolicyArguments>();
  CLI::App* midtrain = add_command(app, "midtrain", "teach a new policy SIDs, captions, sequences",
                                   for_midtrain, run_midtrain);
  midtrain->add_option("--tokenizer", for_midtrain->tokenizer, "tokenizer.json")->required();
  midtrain->add_option("--phase", for_midtrain->phase, "slates, valid or test: whose histories")
      ->capture_default_str();
  auto for_sft = std::make_shared<PolicyArguments>();
  CLI::App* sft =
      add_command(app, "sft", "supervised fine-tuning on a teacher's traces", for_sft, run_sft);
  add_slate_options(*sft, *for_sft);
  sft->add_option("--traces", for_sft->traces, "directory of traces.jsonl")->required();
  auto for_rl = std::make_shared<PolicyArguments>();
  CLI::App* rl = add_command(app, "rl", "reinforcement learning (DAPO)", for_rl, run_rl);
  add_slate_options(*rl, *for_rl);
  rl->add_option("--teacher", for_rl->teacher,
                 "policy directory, usually of a larger policy: on-policy distillation from it");
  rl->add_flag("--no-trace", for_rl->no_trace,
               "answer at once: the internalised policy, options in [rl_fast]");
  auto for_prune = std::make_shared<PolicyArguments>();
  add_slate_options(*add_command(app, "prune",
                                 "remove layers, heads and channels of a policy that answers "
                                 "without a trace, then teach the rest by distillation",
                                 for_prune, run_prune),
                    *for_prune);
}

}  // namespace podium::train
