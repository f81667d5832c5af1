#include "podium/train/sasrec_command.h"

#include <fmt/format.h>

#include <memory>

#include "podium/artifact/manifest.h"
#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/progress.h"
#include "podium/data/split_options.h"
#include "podium/train/checkpoint.h"
#include "podium/train/metrics_log.h"
#include "podium/train/sasrec_train.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

struct SasrecArguments {
  std::string data, phase = "test", init, out, work;
  int64_t seed = 1;
  bool evaluate = false;
  data::SplitOptions split;
  rerank::SasrecOptions sasrec;

  template <class V>
  void visit(V& v) {
    v.section("split", split);
    v.section("sasrec", sasrec);
  }
};

void check(const rerank::SasrecOptions& o) {
  if (o.dim < 1 || o.heads < 1 || o.dim % o.heads != 0 || o.blocks < 1 || o.max_len < 1 ||
      o.negatives < 1 || o.batch_tokens < 1 || o.epochs < 0 || o.refit_epochs < 0 ||
      o.dropout < 0 || o.dropout >= 1 || o.popularity_share < 0 || o.popularity_share > 1) {
    throw Error("a SASRec option is out of range",
                "sizes must be positive, heads must divide dim, shares lie in [0, 1]");
  }
}

std::string line_of(const RankMetrics& m) {
  return fmt::format("R@5 {:.4f}  R@10 {:.4f}  N@5 {:.4f}  N@10 {:.4f}", m.recall5, m.recall10,
                     m.ndcg5, m.ndcg10);
}

Json values_of(const OptionList& list) {
  Json values = Json::object();
  const Json all = list.to_json();  // named: items() refers to it
  for (const auto& [key, entry] : all.items()) values[key] = entry["value"];
  return values;
}

std::string fingerprint_of(SasrecArguments& a, const data::Dataset& dataset) {
  const std::string init =
      a.init.empty() ? "" : sha256_file(fs::path(a.init) / "sasrec.safetensors");
  return sha256(fmt::format("{}|{}|{}|{}|{}", values_of(OptionList(a)).dump(),
                            dataset.manifest().dump(), a.phase, a.seed, init));
}

void write_result(const SasrecArguments& a, const Sasrec& model, const MetricsLog& log,
                  const Json& content) {
  AtomicDir out{fs::path(a.out)};
  log.finish(out.path() / "metrics.jsonl");
  export_sasrec(out.path() / "sasrec.safetensors", model);
  artifact::write_manifest(out.path(), "sasrec", 1, content);
  out.commit();
}

void run(SasrecArguments& a) {
  check(a.sasrec);
  setup_torch(/*threads=*/1, uint64_t(a.seed));  // small matrices: more threads only spin
  const data::Dataset dataset = data::Dataset::open(a.data);
  const data::Split split = data::make_split(dataset, a.split);
  const data::Phase& phase = data::phase_of(split, a.phase);
  log_info(fmt::format("SASRec, phase {}: {} events, {}", phase.name, phase.fit.events(),
                       torch_description()));
  Sasrec model(int64_t(dataset.items()), a.sasrec);
  if (!a.init.empty()) load_weights(fs::path(a.init) / "sasrec.safetensors", *model);

  const fs::path work = a.work.empty() ? fs::path(a.out + ".work") : fs::path(a.work);
  fs::create_directories(work);
  SasrecFit fit{.options = a.sasrec,
                .epochs = a.init.empty() ? a.sasrec.epochs : a.sasrec.refit_epochs,
                .seed = uint64_t(a.seed),
                .checkpoint = work / "checkpoint.safetensors",
                .fingerprint = fingerprint_of(a, dataset)};
  MetricsLog log(work / "metrics.jsonl");
  fit.after_epoch = [&](int epoch, double loss) {
    Json row = {{"loss", loss}};
    if (phase.name == "valid" && a.sasrec.eval_every > 0 &&
        (epoch + 1) % a.sasrec.eval_every == 0) {
      const RankMetrics metrics = evaluate_sasrec(model, dataset, phase.targets);
      log_info(fmt::format("epoch {:3}  loss {:.4f}  valid {}", epoch + 1, loss, line_of(metrics)));
      row["valid R@10"] = metrics.recall10;
      row["valid N@10"] = metrics.ndcg10;
    }
    log.add(epoch + 1, row);
  };
  fit_sasrec(model, phase.fit, fit);
  if (a.evaluate) {
    log_info(fmt::format("phase {}: {}", phase.name,
                         line_of(evaluate_sasrec(model, dataset, phase.targets))));
  }
  write_result(a, model, log,
               {{"options", values_of(OptionList(a))}, {"phase", phase.name}, {"seed", a.seed}});
  fs::remove_all(work);
}

}  // namespace

void add_sasrec_command(CLI::App& app) {
  auto a = std::make_shared<SasrecArguments>();
  CLI::App* command = app.add_subcommand("sasrec", "fit SASRec on one phase of a dataset");
  command->add_option("--data", a->data, "dataset directory")->required();
  command->add_option("--phase", a->phase, "slates, valid or test");
  command->add_option("--init", a->init, "directory of an earlier fit to go on from");
  command->add_option("--out", a->out, "output directory")->required();
  command->add_option("--work", a->work, "where the checkpoint lives (default: OUT.work)");
  command->add_option("--seed", a->seed, "random seed");
  command->add_flag("--evaluate", a->evaluate, "print the metrics on the phase's targets");
  auto list = std::make_shared<OptionList>(*a);
  // Callbacks run in order of declaration: the file's values first, then the flags'.
  command->add_option_function<std::string>(
      "--config", [list](const std::string& file) { list->load_toml(file); },
      "TOML file with [split] and [sasrec]");
  list->add_flags(*command);
  command->callback([a, list] { run(*a); });
}

}  // namespace podium::train
