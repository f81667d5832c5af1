#include "podium/train/reward_lab_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "podium/artifact/output.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/data/content_key.h"
#include "podium/rerank/evasions.h"
#include "podium/rerank/prompt_world.h"
#include "podium/train/command_options.h"
#include "podium/train/reward_lab.h"
#include "podium/train/rl.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

struct LabArguments {
  std::string data, sid, policy, slates, valid_slates, out;
  int64_t seed = 1;
  int threads = 0;
  bool no_trace = false;
  int max_trace = 96;
  std::vector<std::string> arms = lab_arm_names();
  rerank::PromptOptions prompt;
  RlOptions rl;

  template <class V>
  void visit(V& v) {
    v("arms", arms, "rewards to train under",
      one_of({"ndcg-plain", "ndcg-conditional", "ndcg-improving", "gain", "gain-by-rank"}));
    v("max_trace", max_trace, "longest reasoning trace, tokens", between(1, 1024));
    v.section("prompt", prompt);
    v.section("rl", rl);
  }
};

// The measurements of one command, a folder for each arm: OUT/arms/NAME.
class RewardLab {
 public:
  explicit RewardLab(LabArguments& a)
      : a_(a),
        arms_(lab_arms(a.arms, a.rl)),
        dataset_(data::Dataset::open(a.data)),
        world_(dataset_, a.sid, fs::path(a.policy) / "tokenizer.json", a.prompt),
        slates_(read_slate_sets(a.slates, a.valid_slates)),
        inputs_(fmt::format("1|{}|{}|{}|{}|{}|", a.seed, a.no_trace, a.max_trace,
                            data::content_key(a.data), OptionList(a.prompt).values().dump())) {
    for (const fs::path& file :
         {fs::path(a.sid) / "sid.safetensors", fs::path(a.policy) / "model.safetensors",
          fs::path(a.policy) / "tokenizer.json", fs::path(a.slates) / "slates.safetensors",
          fs::path(a.valid_slates) / "slates.safetensors"}) {
      inputs_ += hash_if_there(file) + "|";
    }
  }

  void run() {
    measure_evasions();
    write_report();
    for (LabArm& arm : arms_) train(arm);
    fmt::print("{}", read_file(fs::path(a_.out) / "lab.md"));
  }

 private:
  int threads() const { return a_.threads > 0 ? a_.threads : default_threads(); }
  fs::path dir(const LabArm& arm) const { return fs::path(a_.out) / "arms" / arm.name; }
  std::span<const rerank::Slate> judged() const {
    return std::span(slates_.valid)
        .first(std::min(size_t(a_.rl.eval_slates), slates_.valid.size()));
  }

  // Once for arms that differ in their credit alone.
  void measure_evasions() {
    std::vector<std::string> done;
    for (const LabArm& arm : arms_) {
      const std::string reward = arm.options.rank + "|" + arm.options.gate;
      if (std::ranges::count(done, reward) > 0) continue;
      done.push_back(reward);
      evasions_[arm.name] = rerank::to_json(rerank::measure_evasions(
          judged(), reward_options(arm.options), nullptr, uint64_t(a_.seed)));
    }
  }

  void train(LabArm& arm) {
    StageJob job;
    job.seed = uint64_t(a_.seed);
    job.threads = threads();
    job.work = dir(arm) / "work";
    job.fingerprint =
        sha256(inputs_ + arm.options.gate + "|" + OptionList(arm.options).values().dump());
    const fs::path file = dir(arm) / "arm.json";
    const Json kept = fs::exists(file) ? read_json(file) : Json::object();
    if (kept.value("fingerprint", "") != job.fingerprint) {
      log_info(fmt::format("reward lab: {}", arm.name));
      fs::create_directories(job.work);
      Json made = trained(arm, job);
      made["fingerprint"] = job.fingerprint;
      write_json_atomic(file, made);
      fs::remove_all(job.work);
    }
    finished_.push_back(arm.name);
    write_report();
  }

  Json trained(const LabArm& arm, const StageJob& job) const {
    Qwen3 policy = start_policy(a_.policy, world_, slates_, job.seed);
    const LabView view{world_.prompts, judged(),    !a_.no_trace,
                       a_.max_trace,   job.threads, uint64_t(a_.seed)};
    RlPlan plan{arm.options, !a_.no_trace};
    plan.observe = [&](const Qwen3Impl& now) { return observe_shuffled(now, view); };
    const Json stats = reinforce(policy, world_.prompts, slates_, plan, job);
    return {{"name", arm.name},
            {"rank", arm.options.rank},
            {"gate", arm.options.gate},
            {"credit", arm.options.credit},
            {"steps", stats["steps"]},
            {"best_step", stats["best_step"]},
            {"curve", stats["validation"]},
            {"probe", probe_order(*policy, view)}};
  }

  void write_report() const {
    Json arms = Json::array();
    for (const LabArm& arm : arms_) {
      if (std::ranges::count(finished_, arm.name) == 0) continue;
      arms.push_back(read_json(dir(arm) / "arm.json"));
      arms.back().erase("fingerprint");
    }
    write_json_atomic(fs::path(a_.out) / "lab.json",
                      {{"options", OptionList(a_).values()},
                       {"slates", {{"train", slates_.train.size()}, {"judged", judged().size()}}},
                       {"evasions", evasions_},
                       {"arms", arms}});
    write_file_atomic(fs::path(a_.out) / "lab.md",
                      evasion_table(evasions_) + "\n" + lab_table(arms));
  }

  LabArguments& a_;
  std::vector<LabArm> arms_;
  data::Dataset dataset_;
  rerank::PromptWorld world_;
  SlateSets slates_;
  std::string inputs_;  // what every arm depends on
  Json evasions_ = Json::object();
  std::vector<std::string> finished_;
};

void run_lab(LabArguments& a) {
  artifact::check_inputs_outside(a.out, {a.data, a.sid, a.policy, a.slates, a.valid_slates});
  setup_torch(/*threads=*/1, uint64_t(a.seed));
  artifact::claim_work(a.out);
  a.rl.max_trace = a.max_trace;
  RewardLab(a).run();
}

}  // namespace

void add_reward_lab_command(CLI::App& app) {
  auto a = std::make_shared<LabArguments>();
  CLI::App* command = app.add_subcommand(
      "reward-lab", "one policy trained under several rewards, and what each of them breeds");
  command->add_option("--data", a->data, "dataset directory")->required();
  command->add_option("--sid", a->sid, "semantic-ID directory")->required();
  command->add_option("--policy", a->policy, "policy directory that every arm starts from")
      ->required();
  command->add_option("--slates", a->slates, "slates to train on")->required();
  command->add_option("--valid-slates", a->valid_slates,
                      "slates to judge on (default: a tenth of the others, held out)");
  command->add_option("--out", a->out, "directory of the results; resumes what it holds")
      ->required();
  command->add_flag("--no-trace", a->no_trace, "answer at once");
  add_options(*command, process_options(a->seed, a->threads), OptionList(*a),
              "TOML file with [prompt] and [rl]", [a] { run_lab(*a); });
}

}  // namespace podium::train
