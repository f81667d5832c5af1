#include "podium/train/sid_ablation_command.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "podium/artifact/output.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/data/content_key.h"
#include "podium/data/split_options.h"
#include "podium/sid/item_vectors.h"
#include "podium/text/encoder.h"
#include "podium/train/command_options.h"
#include "podium/train/rqvae_train.h"
#include "podium/train/sid_ablation.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

struct AblationArguments {
  std::string data, vectors, out;
  int64_t seed = 1;
  int threads = 0;
  AblationOptions ablation;
  data::SplitOptions split;
  sid::SidOptions sid;
  RqVaeOptions rqvae;
  MidtrainOptions midtrain;

  template <class V>
  void visit(V& v) {
    v.section("ablation", ablation);
    v.section("split", split);
    v.section("sid", sid);
    v.section("rqvae", rqvae);
    v.section("midtrain", midtrain);
  }
};

// The measurements of one command, a folder for each row and seed: OUT/rows/NAME/SEED.
class Ablation {
 public:
  explicit Ablation(AblationArguments& a)
      : a_(a),
        dataset_(data::Dataset::open(a.data)),
        split_(data::make_split(dataset_, a.split)),
        rows_(ablation_rows(a.ablation, a.sid, a.rqvae)) {
    if (a.vectors.empty()) {
      const auto text_of = [&](size_t i) { return dataset_.item_text(data::ItemIndex(i)); };
      const auto encoder =
          text::fit_text_encoder(dataset_.items(), text_of, {}, uint64_t(a.seed), threads());
      encoded_ = text::encode_texts(*encoder, dataset_.items(), text_of, threads());
      vectors_ = encoded_;
      dim_ = encoder->dim();
    } else {
      file_.emplace(a.vectors, dataset_.items());
      vectors_ = file_->values;
      dim_ = file_->dim;
    }
    inputs_ = fmt::format("{}|{}|{}", data::content_key(a.data),
                          sha256(std::string_view(reinterpret_cast<const char*>(vectors_.data()),
                                                  vectors_.size_bytes())),
                          OptionList(a.split).values().dump());
  }

  // All that is quick first: semantic IDs of every row and seed, then what they are worth.
  void run() {
    for (int seed = 0; seed < a_.ablation.seeds; ++seed) {
      for (const AblationRow& row : rows_) fit(row, a_.seed + seed);
    }
    for (int seed = 0; seed < a_.ablation.seeds; ++seed) {
      for (const AblationRow& row : rows_) judge(row, a_.seed + seed);
    }
    write_report();
    fmt::print("{}", read_file(fs::path(a_.out) / "ablation.md"));
  }

 private:
  int threads() const { return a_.threads > 0 ? a_.threads : default_threads(); }
  fs::path dir(const AblationRow& row, int64_t seed) const {
    return fs::path(a_.out) / "rows" / row.name / std::to_string(seed);
  }

  StageJob job_of(const fs::path& dir, int64_t seed, const std::string& fingerprint) const {
    StageJob job;
    job.seed = uint64_t(seed);
    job.threads = threads();
    job.work = dir / "work";
    job.fingerprint = sha256(fingerprint);
    return job;
  }

  // The measurement kept in `file`, if it is of this fingerprint; else made by measure() and kept.
  template <class Measure>
  void once(const fs::path& file, const StageJob& job, const Measure& measure) {
    const Json kept = fs::exists(file) ? read_json(file) : Json::object();
    if (kept.value("fingerprint", "") == job.fingerprint) return;
    log_info(fmt::format("{}", fs::relative(file, a_.out).string()));
    fs::remove_all(file.parent_path() / "recall.json");  // of other semantic IDs
    fs::create_directories(job.work);
    Json made = measure();
    made["fingerprint"] = job.fingerprint;
    write_json_atomic(file, made);
    fs::remove_all(job.work);
    write_report();
  }

  std::string options_of(const AblationRow& row) const {
    AblationRow copy = row;
    return OptionList(copy.sid).values().dump() + OptionList(copy.rqvae).values().dump();
  }

  void fit(const AblationRow& row, int64_t seed) {
    const fs::path where = dir(row, seed);
    const StageJob job = job_of(where, seed, inputs_ + "|" + options_of(row));
    once(where / "fit.json", job, [&] {
      const sid::SidModel sids =
          row.sid.method == "rq-vae"
              ? fit_rqvae({vectors_, dim_, split_.slates.fit, row.sid, row.rqvae}, job)
              : sid::fit_rq_kmeans(vectors_, int(dim_), row.sid, job.seed, job.threads);
      sid::save_sid(where, sids);
      return Json{{"uniqueness", sids.table.uniqueness()},
                  {"usage", sids.usage},
                  {"perplexity", sids.perplexity}};
    });
  }

  void judge(const AblationRow& row, int64_t seed) {
    const fs::path where = dir(row, seed);
    const NextItemTask task{split_.valid, a_.midtrain, a_.ablation.targets, a_.ablation.beam};
    const StageJob job =
        job_of(where, seed,
               fmt::format("{}|{}|{}|{}|{}", inputs_, sha256_file(where / "sid.safetensors"),
                           task.targets, task.beam, OptionList(a_.midtrain).values().dump()));
    once(where / "recall.json", job, [&] {
      return Json{{"recall10", next_item_recall(task, sid::load_sid(where).table, job)}};
    });
  }

  void write_report() const {
    Json measured = Json::object();
    for (const AblationRow& row : rows_) {
      for (int seed = 0; seed < a_.ablation.seeds; ++seed) {
        const fs::path where = dir(row, a_.seed + seed);
        if (!fs::exists(where / "fit.json")) continue;
        Json one = read_json(where / "fit.json");
        if (fs::exists(where / "recall.json")) one.update(read_json(where / "recall.json"));
        one.erase("fingerprint");
        one["seed"] = a_.seed + seed;
        measured[row.name].push_back(one);
      }
    }
    const Json report = ablation_report(rows_, measured);
    write_json_atomic(fs::path(a_.out) / "ablation.json",
                      {{"options", OptionList(a_).values()}, {"rows", report}});
    write_file_atomic(fs::path(a_.out) / "ablation.md", ablation_table(report));
  }

  AblationArguments& a_;
  data::Dataset dataset_;
  data::Split split_;
  std::vector<AblationRow> rows_;
  std::optional<sid::ItemVectors> file_;
  std::vector<float> encoded_;
  std::span<const float> vectors_;
  size_t dim_ = 0;
  std::string inputs_;  // what every row depends on
};

void run_ablation(AblationArguments& a) {
  artifact::check_inputs_outside(a.out, {a.data, a.vectors});
  setup_torch(/*threads=*/1, uint64_t(a.seed));
  artifact::claim_work(a.out);
  Ablation(a).run();
}

}  // namespace

void add_sid_ablation_command(CLI::App& app) {
  auto a = std::make_shared<AblationArguments>();
  a->midtrain.steps = 300;
  CLI::App* command = app.add_subcommand(
      "sid-ablation", "what each part of the RQ-VAE is worth, measured on one dataset");
  command->add_option("--data", a->data, "dataset directory")->required();
  command->add_option("--item-vectors,--vectors", a->vectors,
                      "item_vectors.safetensors of stage sid; default: LSA of the items' text");
  command->add_option("--out", a->out, "directory of the results; resumes what it holds")
      ->required();
  add_options(*command, process_options(a->seed, a->threads, "the first seed"), OptionList(*a),
              "TOML file with [ablation], [split], [sid], [rqvae] and [midtrain]",
              [a] { run_ablation(*a); });
}

}  // namespace podium::train
