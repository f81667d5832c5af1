#include "podium/cli/sid_commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "podium/artifact/manifest.h"
#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/data/dataset.h"
#include "podium/sid/trie.h"
#include "podium/text/encoder.h"

namespace podium::cli {
namespace {

constexpr size_t kNeighbours = 10;

struct FitArguments {
  std::string data, out;
  text::EncoderOptions encoder;
  int64_t seed = 1;
  bool json = false;

  template <class V>
  void visit(V& v) {
    v("seed", seed, "random seed", at_least(0));
  }
};

// Item text to semantic IDs without the rest of the funnel; prints what they are worth.
void fit(FitArguments& a) {
  OptionList(a).check();
  artifact::AtomicDir out(a.out, "sid", {a.data});
  const data::Dataset dataset = data::Dataset::open(a.data);
  const auto text_of = [&](size_t i) { return dataset.item_text(data::ItemIndex(i)); };
  const auto encoder = text::fit_text_encoder(dataset.items(), text_of, a.encoder, uint64_t(a.seed),
                                              default_threads());
  const auto vectors = text::encode_texts(*encoder, dataset.items(), text_of, default_threads());
  const sid::SidModel model =
      sid::fit_rq_kmeans(vectors, int(encoder->dim()), {}, uint64_t(a.seed), default_threads());
  sid::save_sid(out.path(), model);
  encoder->save(out.path());
  artifact::write_manifest(out.path(), "sid", 1, {{"dataset", dataset.name()}});
  out.commit();
  const Json report = read_json(fs::path(a.out) / "sid.json");
  if (a.json) {
    fmt::print("{}\n", report.dump(2));
    return;
  }
  fmt::print("{} items, {} levels of {} codes, {:.2f} % unique\n", dataset.items(),
             model.table.levels, model.table.codes_per_level, 100 * model.table.uniqueness());
  for (int level = 0; level < model.table.levels; ++level) {
    fmt::print("  level {}: {:.0f} % of the codes used, perplexity {:.0f}\n", level + 1,
               100 * model.usage[size_t(level)], model.perplexity[size_t(level)]);
  }
}

struct ShowArguments {
  std::string item, data, sid;
  bool json = false;
};

void show(const ShowArguments& a) {
  const data::Dataset dataset = data::Dataset::open(a.data);
  const sid::SidModel model = sid::load_sid(a.sid);
  const auto item = dataset.find_item(a.item);
  if (!item || *item >= model.table.items()) {
    throw Error(ErrorKind::kNotFound, fmt::format("no item '{}' in this dataset", a.item),
                "check the id", a.data);
  }
  const sid::SidTrie trie(model.table);
  const auto codes = model.table.of(*item);
  Json neighbours = Json::array();
  for (size_t shared = codes.size(); shared > 0 && neighbours.size() < kNeighbours; --shared) {
    const uint32_t node = trie.find(codes.first(shared)).value();
    for (const uint32_t other : trie.items(int(shared), node)) {
      const bool nearer =
          shared < codes.size() && model.table.of(other)[shared] == codes[shared];  // told already
      if (other == *item || nearer || neighbours.size() == kNeighbours) continue;
      neighbours.push_back({{"shared", shared},
                            {"item", dataset.item_id(other)},
                            {"title", dataset.title(other)},
                            {"sid", model.table.spell(other)}});
    }
  }
  const std::string spelling = model.table.spell(*item);
  if (a.json) {
    fmt::print("{}\n", Json({{"item", a.item},
                             {"title", dataset.title(*item)},
                             {"sid", spelling},
                             {"neighbours", neighbours}})
                           .dump(2));
    return;
  }
  fmt::print("{}\n{}\n", spelling, dataset.title(*item));
  for (const Json& n : neighbours) {
    fmt::print("  {} shared  {:<12} {}\n", n["shared"].get<size_t>(), n["item"].get<std::string>(),
               n["title"].get<std::string>());
  }
}

}  // namespace

void add_sid_commands(CLI::App& app) {
  CLI::App* group = app.add_subcommand("sid", "semantic IDs of a catalogue");
  group->require_subcommand(1);
  auto f = std::make_shared<FitArguments>();
  CLI::App* fit_command = group->add_subcommand("fit", "fit semantic IDs to a dataset's item text");
  fit_command->add_option("--data", f->data, "dataset directory")->required();
  fit_command->add_option("--out", f->out, "directory to write")->required();
  OptionList(*f).add_flags(*fit_command);
  fit_command->add_option("--encoder", f->encoder.model,
                          "what encodes item text: lsa, or the directory of a BERT model");
  fit_command->add_flag("--json", f->json, "print JSON");
  fit_command->callback([f] { fit(*f); });
  auto s = std::make_shared<ShowArguments>();
  CLI::App* show_command =
      group->add_subcommand("show", "an item's semantic ID and its neighbours by shared prefix");
  show_command->add_option("item", s->item, "item id")->required();
  show_command->add_option("--data", s->data, "dataset directory")->required();
  show_command->add_option("--sid", s->sid, "directory of the semantic IDs, RUN/stages/sid")
      ->required();
  show_command->add_flag("--json", s->json, "print JSON");
  show_command->callback([s] { show(*s); });
}

}  // namespace podium::cli
