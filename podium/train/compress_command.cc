#include "podium/train/compress_command.h"

#include <fmt/format.h>

#include <memory>

#include "podium/artifact/manifest.h"
#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/data/content_key.h"
#include "podium/rerank/compressor_train.h"
#include "podium/text/encoder.h"
#include "podium/train/command_options.h"
#include "podium/train/policy_data.h"

namespace podium::train {
namespace {

constexpr int64_t kSaved = 10;  // steps between checkpoints

struct CompressArguments {
  std::string data, slates, valid_slates, cache, out, work;
  int64_t seed = 1;
  int threads = 0;
  text::EncoderOptions encoder;
  rerank::CompressOptions compress;

  template <class V>
  void visit(V& v) {
    v.section("encoder", encoder);
    v.section("compress", compress);
  }
};

std::string fingerprint_of(CompressArguments& a) {
  std::string text = fmt::format("compress|1|{}|{}|{}|", a.seed, OptionList(a).values().dump(),
                                 data::content_key(a.data));
  for (const fs::path& dir : {fs::path(a.slates), fs::path(a.valid_slates)}) {
    text += hash_if_there(dir / "slates.safetensors") + "|";
  }
  return sha256(text);
}

// One a step, kept in the work directory, which a stopped command goes on from.
rerank::CompressorState train(const rerank::CompressTask& task, const fs::path& work,
                              const std::string& fingerprint) {
  const fs::path file = work / "state.json";
  const Json kept = fs::exists(file) ? read_json(file) : Json::object();
  rerank::CompressorState state;
  if (kept.value("fingerprint", "") == fingerprint) {
    state = rerank::compressor_state(kept.at("state"));
  }
  Progress progress("compressor", uint64_t(task.options.steps), "steps");
  progress.add(uint64_t(state.step));
  return rerank::train_compressor(
      task, state, [&](const rerank::CompressorState& now, double reward, double share) {
        progress.note(fmt::format("reward {:.3f}, keeps {:.2f}", reward, share));
        progress.add();
        if (now.step % kSaved == 0 || interrupted()) {
          write_json_atomic(file, {{"fingerprint", fingerprint}, {"state", rerank::to_json(now)}});
        }
        stop_if_interrupted("run the same command to resume");
      });
}

// The catalogue in the words that stay, a line an item, as `podium data import --items` reads it.
std::string catalogue(const data::Dataset& dataset, const rerank::ItemWords& words,
                      const rerank::WordWeights& weights) {
  std::string lines;
  for (rerank::ItemIndex item = 0; item < dataset.items(); ++item) {
    const auto own = words.of(item);
    Json fields = rerank::kept_fields(own, rerank::likely_kept(weights, own));
    fields["item_id"] = dataset.item_id(item);
    lines += fields.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return lines;
}

void run_compress(CompressArguments& a) {
  const fs::path work = work_folder(a.out, "compressor", a.work, {a.data, a.slates});
  artifact::claim_work(work);
  const int threads = a.threads > 0 ? a.threads : default_threads();
  const data::Dataset dataset = data::Dataset::open(a.data);
  const SlateSets slates = read_slate_sets(a.slates, a.valid_slates);
  if (slates.train.empty() || slates.valid.empty()) {
    throw Error("no slate to train on, or none to validate on", "give slates that hold clicks",
                a.slates);
  }
  const auto text_of = [&](size_t i) { return dataset.item_text(data::ItemIndex(i)); };
  const auto [encoder, whole] = text::encode_catalogue(dataset.items(), text_of, a.encoder,
                                                       uint64_t(a.seed), threads, a.cache);
  const rerank::ItemWords words(dataset);
  const rerank::TextReader reader(words, *encoder, whole);
  rerank::CompressTask task{words, reader, slates.train, a.compress, uint64_t(a.seed), threads};
  const rerank::CompressorState state = train(task, work, fingerprint_of(a));
  task.slates = slates.valid;
  const Json table = rerank::compare_compressions(task, state.weights);
  for (const auto& [way, row] : table.items()) {
    log_info(fmt::format("{:7} {:5.1f} % of the words, N@3 {:.4f}, cosine {:.3f}", way,
                         100 * row["share"].get<double>(), row["ndcg3"].get<double>(),
                         row["information"].get<double>()));
  }
  artifact::AtomicDir out(a.out, "compressor");
  write_file_atomic(out.path() / "items.jsonl", catalogue(dataset, words, state.weights));
  write_json_atomic(out.path() / "stats.json", {{"weights", state.weights},
                                                {"train_slates", slates.train.size()},
                                                {"valid_slates", slates.valid.size()},
                                                {"validation", table}});
  artifact::write_manifest(out.path(), "compressor", 1, {{"dataset", dataset.name()}});
  out.commit();
  fs::remove_all(work);
}

}  // namespace

void add_compress_command(CLI::App& app) {
  auto a = std::make_shared<CompressArguments>();
  CLI::App* command = app.add_subcommand(
      "compress", "learn which words of the items' text a reader of slates needs");
  command->add_option("--data", a->data, "dataset directory")->required();
  command->add_option("--slates", a->slates, "slates to train on")->required();
  command->add_option("--valid-slates", a->valid_slates,
                      "slates to compare on (default: a tenth of the others, held out)");
  command->add_option("--text-cache", a->cache, "folder of vectors that a text model made before");
  command->add_option("--out", a->out, "directory to write")->required();
  command->add_option("--work", a->work, "where the checkpoint lives (default: OUT.work)");
  add_options(*command, process_options(a->seed, a->threads), OptionList(*a),
              "TOML file with [encoder] and [compress]", [a] { run_compress(*a); });
}

}  // namespace podium::train
