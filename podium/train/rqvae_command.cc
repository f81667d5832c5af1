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
#include "podium/sid/item_vectors.h"
#include "podium/train/command_options.h"
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
  StageJob job;
  job.work = work_folder(a.out, "sid", a.work, {a.data, a.vectors});
  job.seed = uint64_t(a.seed);
  job.threads = a.threads > 0 ? a.threads : default_threads();
  job.fingerprint = sha256(fmt::format("rqvae|{}|{}|{}|{}", OptionList(a).values().dump(), a.seed,
                                       data::content_key(a.data), sha256_file(a.vectors)));
  artifact::claim_work(job.work);
  return job;
}

void run_rqvae(RqVaeArguments& a) {
  setup_torch(/*threads=*/1, uint64_t(a.seed));
  const StageJob job = rqvae_job(a);
  const data::Dataset dataset = data::Dataset::open(a.data);
  const data::Split split = data::make_split(dataset, a.split);
  const sid::ItemVectors vectors(a.vectors, dataset.items());
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
  add_options(*command, process_options(a->seed, a->threads), OptionList(*a),
              "TOML file with [split], [sid] and [rqvae]", [a] { run_rqvae(*a); });
}

}  // namespace podium::train
