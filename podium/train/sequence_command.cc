#include "podium/train/sequence_command.h"

#include <fmt/format.h>

#include <memory>

#include "podium/artifact/manifest.h"
#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/progress.h"
#include "podium/data/content_key.h"
#include "podium/data/split_options.h"
#include "podium/sid/item_vectors.h"
#include "podium/train/checkpoint.h"
#include "podium/train/command_options.h"
#include "podium/train/hstu.h"
#include "podium/train/metrics_log.h"
#include "podium/train/sasrec.h"
#include "podium/train/sequence_eval.h"
#include "podium/train/sequence_train.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

struct SequenceArguments {
  std::string model;  // "sasrec" or "hstu"
  std::string data, phase = "test", init, vectors, out, work;
  int64_t seed = 1;
  bool evaluate = false;
  data::SplitOptions split;
  SequenceOptions sasrec;
  HstuOptions hstu;

  bool is_hstu() const { return model == "hstu"; }
  const SequenceOptions& options() const { return is_hstu() ? hstu : sasrec; }
  std::string weights() const { return model + ".safetensors"; }

  template <class V>
  void visit(V& v) {
    v.section("split", split);
    is_hstu() ? v.section(model, hstu) : v.section(model, sasrec);
  }
};

std::shared_ptr<SequenceModelImpl> make_model(const SequenceArguments& a, size_t items) {
  if (a.is_hstu()) return std::make_shared<HstuImpl>(int64_t(items), a.hstu);
  return std::make_shared<SasrecImpl>(int64_t(items), a.sasrec);
}

// Gives the model its items' text vectors: tensor "vectors" [items, width] of stage sid's file.
void add_text(SequenceModelImpl& model, const fs::path& file) {
  const sid::ItemVectors vectors(file, size_t(model.item_embedding.size(0)));
  model.add_text(vectors.values, int64_t(vectors.dim));
}

void export_model(const fs::path& file, const SequenceModelImpl& model) {
  if (const auto* hstu = dynamic_cast<const HstuImpl*>(&model)) return export_hstu(file, *hstu);
  export_sasrec(file, dynamic_cast<const SasrecImpl&>(model));
}

std::string line_of(const RankMetrics& m) {
  return fmt::format("R@5 {:.4f}  R@10 {:.4f}  N@5 {:.4f}  N@10 {:.4f}", m.recall5, m.recall10,
                     m.ndcg5, m.ndcg10);
}

std::string fingerprint_of(SequenceArguments& a) {
  const std::string init = a.init.empty() ? "" : sha256_file(fs::path(a.init) / a.weights());
  const std::string text = a.vectors.empty() ? "" : sha256_file(a.vectors);
  return sha256(fmt::format("{}|{}|{}|{}|{}|{}", OptionList(a).values().dump(),
                            data::content_key(a.data), a.phase, a.seed, init, text));
}

void write_result(SequenceArguments& a, const SequenceModelImpl& model, const MetricsLog& log) {
  artifact::AtomicDir out(a.out, a.model);
  log.finish(out.path() / "metrics.jsonl");
  export_model(out.path() / a.weights(), model);
  artifact::write_manifest(
      out.path(), a.model, 1,
      {{"options", OptionList(a).values()}, {"phase", a.phase}, {"seed", a.seed}});
  out.commit();
}

// What happens after an epoch: a row in the log, on phase valid now and then with the metrics.
auto epoch_log(SequenceModelImpl& model, const data::Dataset& dataset, const data::Phase& phase,
               MetricsLog& log) {
  return [&](int epoch, double loss) {
    const int every = model.options.eval_every;
    Json row = {{"loss", loss}};
    if (phase.name == "valid" && every > 0 && (epoch + 1) % every == 0) {
      const RankMetrics metrics = evaluate_sequence_model(model, dataset, phase.next_events());
      log_info(fmt::format("epoch {:3}  loss {:.4f}  valid {}", epoch + 1, loss, line_of(metrics)));
      row["valid R@10"] = metrics.recall10;
      row["valid N@10"] = metrics.ndcg10;
    }
    log.add(epoch + 1, row);
  };
}

void print_metrics(const SequenceArguments& a, SequenceModelImpl& model,
                   const data::Dataset& dataset, const data::Phase& phase) {
  log_info(fmt::format("phase {}: {}", phase.name,
                       line_of(evaluate_sequence_model(model, dataset, phase.next_events()))));
  if (!a.is_hstu() || a.hstu.rank_weight == 0) return;
  const sequence::Hstu served(fs::path(a.out) / a.weights());
  log_info(fmt::format("phase {}, each candidate by its own state: {}", phase.name,
                       line_of(evaluate_hstu_ranking(served, dataset, phase.next_events()))));
}

void run(SequenceArguments& a) {
  const fs::path work = work_folder(a.out, a.model, a.work, {a.data, a.init, a.vectors});
  setup_torch(/*threads=*/1, uint64_t(a.seed));  // small matrices: more threads only spin
  const data::Dataset dataset = data::Dataset::open(a.data);
  const data::Split split = data::make_split(dataset, a.split);
  const data::Phase& phase = data::phase_of(split, a.phase);
  log_info(fmt::format("{}, phase {}: {} events, {}", a.model, phase.name, phase.fit.events(),
                       torch_description()));
  const auto model = make_model(a, dataset.items());
  if (!a.vectors.empty()) add_text(*model, a.vectors);
  if (!a.init.empty()) load_model(fs::path(a.init) / a.weights(), *model);

  artifact::claim_work(work);
  MetricsLog log(work / "metrics.jsonl");
  fit_sequence_model(*model, phase.fit,
                     {.options = a.options(),
                      .epochs = a.init.empty() ? a.options().epochs : a.options().refit_epochs,
                      .seed = uint64_t(a.seed),
                      .checkpoint = work / "checkpoint.safetensors",
                      .fingerprint = fingerprint_of(a),
                      .rate_option = a.model + ".learning_rate",
                      .after_epoch = epoch_log(*model, dataset, phase, log)});
  write_result(a, *model, log);
  if (a.evaluate) print_metrics(a, *model, dataset, phase);
  fs::remove_all(work);
}

void add_sequence_command(CLI::App& app, const std::string& model, const std::string& title) {
  auto a = std::make_shared<SequenceArguments>();
  a->model = model;
  CLI::App* command = app.add_subcommand(model, "fit " + title + " on one phase of a dataset");
  command->add_option("--data", a->data, "dataset directory")->required();
  command->add_option("--phase", a->phase, "slates, valid or test");
  command->add_option("--init", a->init, "directory of an earlier fit to go on from");
  command->add_option("--item-vectors", a->vectors,
                      "the items' text: item_vectors.safetensors of stage sid; default: none");
  command->add_option("--out", a->out, "output directory")->required();
  command->add_option("--work", a->work, "where the checkpoint lives (default: OUT.work)");
  command->add_flag("--evaluate", a->evaluate, "print the metrics on the phase's targets");
  OptionList process;
  process("seed", a->seed, "random seed", at_least(0));
  add_options(*command, process, OptionList(*a), "TOML file with [split] and [" + model + "]",
              [a] { run(*a); });
}

}  // namespace

void add_sequence_commands(CLI::App& app) {
  add_sequence_command(app, "sasrec", "SASRec");
  add_sequence_command(app, "hstu", "HSTU");
}

}  // namespace podium::train
