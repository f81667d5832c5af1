#include "podium/funnel/bundle.h"

#include "podium/artifact/manifest.h"
#include "podium/base/options.h"

namespace podium::funnel {
namespace {

constexpr const char* kOptions = "serving.toml";

void copy_tree(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

}  // namespace

void write_bundle_files(const BundleSources& sources, const fs::path& dir) {
  copy_tree(sources.dataset, dir / "dataset");
  fs::create_directories(dir / "sid");
  for (const char* file : {"sid.safetensors", "sid.json"}) {
    fs::copy_file(sources.sid / file, dir / "sid" / file);
  }
  copy_tree(sources.upstream, dir / "upstream");
  for (const auto& [from, name] :
       {std::pair{&sources.policy, "policy"}, std::pair{&sources.policy_fast, "policy-fast"}}) {
    fs::create_directories(dir / name);
    for (const char* file : {"config.json", "model.safetensors"}) {
      fs::copy_file(*from / file, dir / name / file);
    }
    fs::copy_file(sources.tokenizer, dir / name / "tokenizer.json");
  }
  ServingOptions options = sources.options;  // OptionList points into it
  write_file_atomic(dir / kOptions, OptionList(options).to_toml());
  artifact::write_manifest(dir, "bundle", kBundleVersion, sources.content);
}

ServingOptions read_bundle_options(const fs::path& dir, bool verify) {
  artifact::read_manifest(dir, "bundle", kBundleVersion, verify);
  ServingOptions options;
  OptionList(options).load_toml(dir / kOptions);
  return options;
}

}  // namespace podium::funnel
