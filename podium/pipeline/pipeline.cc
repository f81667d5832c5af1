#include "podium/pipeline/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/eval/report.h"
#include "podium/pipeline/pipeline_stages.h"
#include "podium/pipeline/process.h"

namespace podium::pipeline {
namespace {

// Raise when a stage's code changes its result, so that older results are not taken for new ones.
constexpr int kPipelineVersion = 3;

const std::vector<std::string> kStages = {
    "sid",      "sasrec-slates", "sasrec-valid", "sasrec-test", "upstream", "tokenizer",
    "midtrain", "sft",           "rl",           "rl-fast",     "rl-plain", "eval-sft",
    "eval-rl",  "eval-fast",     "eval-plain",   "report",      "bundle"};

// The sections that one stage depends on, as a struct that OptionList can read.
template <class... Options>
struct Sections {
  std::tuple<std::pair<std::string_view, Options&>...> parts;
  template <class V>
  void visit(V& v) {
    std::apply([&](auto&... part) { (v.section(part.first, part.second), ...); }, parts);
  }
};

template <class... Options>
std::string toml_of(std::pair<std::string_view, Options&>... parts) {
  Sections<Options...> sections{{parts...}};
  return OptionList(sections).to_toml();
}

template <class Options>
std::pair<std::string_view, Options&> section(std::string_view name, Options& options) {
  return {name, options};
}

// Runs the stages of one request in order, up to request.until.
class Pipeline {
 public:
  Pipeline(const PipelineRequest& request, const data::Dataset& dataset, const data::Split& split,
           StageRunner& runner)
      : request_(request),
        options_(request_.options),
        runner_(runner),
        run_{request_, dataset, split, runner,
             options_.threads > 0 ? options_.threads : default_threads()} {}

  Json run() {
    sid();
    sasrec();
    upstream();
    tokenizer();
    midtrain();
    sft();
    rl("rl", "sft", options_.reward, /*trace=*/true, options_.rl);
    rl("rl-fast", "rl", options_.reward, /*trace=*/false, options_.rl_fast);
    if (options_.compare_plain) rl("rl-plain", "sft", "plain", /*trace=*/true, options_.rl);
    evaluate("sft", "sft", true);
    evaluate("rl", "rl", true);
    evaluate("fast", "rl-fast", false);
    if (options_.compare_plain) evaluate("plain", "rl-plain", true);
    const Json result = report();
    bundle();
    return result;
  }

 private:
  using Body = std::function<double(const StageDirs&)>;

  void stage(const std::string& name, std::vector<std::string> inputs, const std::string& options,
             const Body& body) {
    if (stopped_) return;
    const std::string text = fmt::format("seed {}\n{}", options_.seed, options);
    runner_.run({name, text, std::move(inputs)}, body);
    stopped_ = name == request_.until;
  }

  fs::path model(const std::string& stage) const { return runner_.dir(stage) / "model"; }

  void sid() {
    stage("sid", {}, toml_of(section("encoder", options_.encoder), section("sid", options_.sid)),
          [&](const StageDirs& dirs) {
            write_sids(run_, dirs.result);
            return 0.0;
          });
  }

  void sasrec() {
    if (options_.sasrec.epochs == 0) return;
    std::string before;
    for (const std::string phase : {"slates", "valid", "test"}) {
      const std::string config =
          toml_of(section("split", options_.split), section("sasrec", options_.sasrec));
      std::vector<std::string> arguments = {"--phase", phase};
      if (!before.empty()) {
        arguments.insert(arguments.end(), {"--init", model(before).string()});
      }
      stage("sasrec-" + phase, before.empty() ? std::vector<std::string>{} : std::vector{before},
            config, [&](const StageDirs& dirs) {
              return run_trainer(run_, "sasrec", arguments, config, dirs);
            });
      before = "sasrec-" + phase;
    }
  }

  void upstream() {
    std::vector<std::string> inputs = {"sid"};
    if (options_.sasrec.epochs > 0) {
      inputs.insert(inputs.end(), {"sasrec-slates", "sasrec-valid", "sasrec-test"});
    }
    stage("upstream", inputs,
          fmt::format(
              "k {}\n{}{}", options_.k,
              toml_of(section("split", options_.split), section("upstream", options_.upstream)),
              retrieval::further_sources()),
          [&](const StageDirs& dirs) {
            write_upstream(run_, dirs.result);
            return 0.0;
          });
  }

  void tokenizer() {
    const std::string options = fmt::format(
        "{}prompts {}\n", toml_of(section("policy", options_.policy)), rerank::kPromptForm);
    stage("tokenizer", {"sid"}, options, [&](const StageDirs& dirs) {
      write_tokenizer(run_, dirs.result);
      return 0.0;
    });
  }

  std::vector<std::string> world_arguments() const {
    return {"--sid", runner_.dir("sid"), "--tokenizer",
            runner_.dir("tokenizer") / "tokenizer.json"};
  }

  void midtrain() {
    const std::string config =
        toml_of(section("split", options_.split), section("policy", options_.policy),
                section("midtrain", options_.midtrain));
    stage("midtrain", {"sid", "tokenizer"}, config, [&](const StageDirs& dirs) {
      return run_trainer(run_, "midtrain", world_arguments(), config, dirs);
    });
  }

  std::vector<std::string> policy_arguments(const std::string& from) const {
    const fs::path slates = runner_.dir("upstream") / "slates";
    return {"--sid",    runner_.dir("sid"), "--policy",       model(from),
            "--slates", slates / "slates",  "--valid-slates", slates / "valid"};
  }

  void sft() {
    const std::string config =
        toml_of(section("prompt", options_.prompt), section("teacher", options_.teacher),
                section("sft", options_.sft));
    stage("sft", {"upstream", "midtrain"}, config, [&](const StageDirs& dirs) {
      return run_trainer(run_, "sft", policy_arguments("midtrain"), config, dirs);
    });
  }

  void rl(const std::string& name, const std::string& from, const std::string& gate, bool trace,
          rerank::RlOptions options) {
    options.gate = gate;
    const std::string config = toml_of(section("prompt", options_.prompt), section("rl", options));
    stage(name, {"upstream", from}, config, [&](const StageDirs& dirs) {
      std::vector<std::string> arguments = policy_arguments(from);
      if (!trace) arguments.push_back("--no-trace");
      return run_trainer(run_, "rl", arguments, config, dirs);
    });
  }

  void evaluate(const std::string& name, const std::string& policy, bool with_trace) {
    stage("eval-" + name, {"upstream", policy},
          toml_of(section("prompt", options_.prompt), section("eval", options_.eval)),
          [&](const StageDirs& dirs) {
            evaluate_stage(run_, model(policy), "gr2-" + name, with_trace, dirs.result);
            return 0.0;
          });
    if (!stopped_) policies_.push_back(name);
  }

  Json report() {
    std::vector<std::string> inputs = {"upstream"};
    for (const std::string& policy : policies_) inputs.push_back("eval-" + policy);
    stage("report", inputs, toml_of(section("metrics", options_.metrics)),
          [&](const StageDirs& dirs) {
            write_run_report(run_, policies_, dirs.result);
            return 0.0;
          });
    const fs::path dir = runner_.dir("report");
    if (stopped_ && request_.until != "report") return nullptr;
    for (const char* file : {"report.json", "report.html", "results.json"}) {
      write_file_atomic(request_.out / file, read_file(dir / file));
    }
    return eval::read_report(dir);
  }

  void bundle() {
    stage("bundle", {"sid", "upstream", "rl", "rl-fast"},
          toml_of(section("prompt", options_.prompt), section("eval", options_.eval)),
          [&](const StageDirs& dirs) {
            write_bundle(run_, dirs.result);
            return 0.0;
          });
    if (stopped_ && request_.until != "bundle") return;
    const fs::path bundle = runner_.dir("bundle") / "bundle", copy = request_.out / "bundle";
    const auto manifest_of = [](const fs::path& dir) { return read_file(dir / "manifest.json"); };
    if (fs::exists(copy / "manifest.json") && manifest_of(copy) == manifest_of(bundle)) return;
    AtomicDir target(copy);
    fs::copy(bundle, target.path(),
             fs::copy_options::recursive | fs::copy_options::create_hard_links);
    target.commit();
  }

  PipelineRequest request_;  // a copy: the sections point into its options
  PipelineOptions& options_;
  StageRunner& runner_;
  RunContext run_;
  std::vector<std::string> policies_;
  bool stopped_ = false;
};

void check(const PipelineRequest& request) {
  const PipelineOptions& o = request.options;
  if (!request.until.empty() &&
      std::find(kStages.begin(), kStages.end(), request.until) == kStages.end()) {
    throw Error(fmt::format("no stage is called '{}'", request.until), "one of: " + stage_names());
  }
  if (request.until.starts_with("sasrec") && o.sasrec.epochs == 0) {
    throw Error("there is no SASRec with sasrec.epochs = 0", "use --until upstream");
  }
  if (o.reward != "conditional" && o.reward != "plain") {
    throw Error(fmt::format("unknown reward '{}'", o.reward), "use conditional or plain");
  }
  if (o.k < 2 || o.k > 100) throw Error("k must lie in 2..100", "10 is usual");
}

}  // namespace

void apply_preset(const std::string& name, PipelineOptions& options) {
  if (name == "full") return;
  if (name != "demo") {
    throw Error(fmt::format("unknown preset '{}'", name), "use demo or full");
  }
  // Small data: 943 users give too few slates when each gives one.
  options.split.slate_targets = 8;
  options.sasrec.refit_epochs = 6;
  options.midtrain.steps = 400;
  options.rl.steps = 40;
  options.rl_fast.steps = 40;
}

std::string stage_names() { return fmt::format("{}", fmt::join(kStages, ", ")); }

Json run_pipeline(const PipelineRequest& request) {
  check(request);
  const FileLock lock(request.out / ".lock");
  const data::Dataset dataset = data::Dataset::open(request.data);
  const data::Split split = data::make_split(dataset, request.options.split);
  StageRunner runner(request.out, sha256(fmt::format("{}\n{}", kPipelineVersion,
                                                     read_file(request.data / "manifest.json"))));
  return Pipeline(request, dataset, split, runner).run();
}

std::string report_table(const Json& report) { return eval::render_table(report); }

}  // namespace podium::pipeline
