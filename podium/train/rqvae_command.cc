#include "podium/train/rqvae_command.h"

#include <fmt/format.h>

#include <memory>

#include "podium/artifact/manifest.h"
#include "podium/artifact/output.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/data/content_key.h"
#include "podium/data/split_options.h"
#include "podium/train/item_vectors.h"
#include "podium/train/rqvae_train.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

struct RqVaeArguments {
  std::string data, vectors, out, work;
  int64_t seed = 1;
  int threads = 0;
  data::SplitOptions split;
  sid::SidOptions sid;
  RqVaeOptions rqvae;

  template <class V>
  void visit(V& v) {
    v.section("split", split);
    v.section("sid", sid);
    v.section("rqvae", rqvae);
    v.rule([this] { return !rqvae.sinkhorn || !sid.random_last_level; },
           "rqvae.sinkhorn needs sid.random_last_level off");
  }
};

StageJob rqvae_job(RqVaeArguments& a) {
  fs::path beside = artifact::check_output(a.out, "sid", {a.data, a.vectors});
  beside += ".work";
  StageJob job;
  job.seed = uint64_t(a.seed);
  job.threads = a.threads > 0 ? a.threads : default_threads();
  job.work = a.work.empty() ? beside : fs::path(a.work);
  job.fingerprint = sha256(fmt::format("rqvae|{}|{}|{}|{}", OptionList(a).values().dump(), a.seed,
                                       data::content_key(a.data), sha256_file(a.vectors)));
  artifact::check_inputs_outside(job.work, {a.data, a.vectors});
  artifact::claim_work(job.work);
  return job;
}

void run_rqvae(RqVaeArguments& a) {
  setup_torch(/*threads=*/1, uint64_t(a.seed));
  const StageJob job = rqvae_job(a);
  const data::Dataset dataset = data::Dataset::open(a.data);
  const data::Split split = data::make_split(dataset, a.split);
  const ItemVectors vectors(a.vectors, dataset.items());
  const sid::SidModel sids =
      fit_rqvae({vectors.values, vectors.dim, split.slates.fit, a.sid, a.rqvae}, job);
  artifact::AtomicDir out(a.out, "sid");
  sid::save_sid(out.path(), sids);
  write_file_atomic(out.path() / "metrics.jsonl", read_file(job.work / "metrics.done.jsonl"));
  artifact::write_manifest(out.path(), "sid", 1, {{"dataset", dataset.name()}});
  out.commit();
  log_info(fmt::format("semantic IDs: {} levels of {} codes, {:.2f} % unique", sids.table.levels,
                       sids.table.codes_per_level, 100 * sids.table.uniqueness()));
  fs::remove_all(job.work);
}

}  // namespace

void add_rqvae_command(CLI::App& app) {
  auto a = std::make_shared<RqVaeArguments>();
  CLI::App* command = app.add_subcommand("rqvae", "fit semantic IDs by an RQ-VAE");
  command->add_option("--data", a->data, "dataset directory")->required();
  command->add_option("--item-vectors", a->vectors, "item_vectors.safetensors of stage sid")
      ->required();
  command->add_option("--out", a->out, "directory to write")->required();
  command->add_option("--work", a->work, "where the checkpoint lives (default: OUT.work)");
  auto process = std::make_shared<OptionList>();  // no part of the fingerprint
  (*process)("seed", a->seed, "random seed", at_least(0));
  (*process)("threads", a->threads, "threads; 0: every core; results do not depend on it",
             between(0, kMostThreads));
  process->add_flags(*command);
  auto list = std::make_shared<OptionList>(*a);
  // Callbacks run in order of declaration: the file's values first, then the flags'.
  command->add_option_function<std::string>(
      "--config", [list](const std::string& file) { list->load_toml(file); },
      "TOML file with [split], [sid] and [rqvae]");
  list->add_flags(*command);
  command->callback([a, process, list] {
    process->check();
    list->check();
    run_rqvae(*a);
  });
}

}  // namespace podium::train
