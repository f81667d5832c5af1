// A bundle: everything a server needs, in one self-contained directory.
//
//   manifest.json   kind "bundle": files with their hashes; content {"dataset", "options"}
//   options.toml    the run's PipelineOptions: OptionList(options).load_toml(dir / "options.toml")
//   dataset/        data::Dataset
//   sid/            sid::load_sid
//   upstream/       Upstream::load, fitted for the test phase
//   policy/         the reasoning policy: config.json, model.safetensors, tokenizer.json
//   policy-fast/    the internalised policy (answers without a trace)
#pragma once

#include <string>

#include "podium/base/files.h"
#include "podium/base/json.h"

namespace podium::funnel {

inline constexpr int kBundleVersion = 2;

struct BundleSources {
  fs::path dataset, sid, upstream, policy, policy_fast, tokenizer;
  std::string options_toml;
  Json content;
};

// Fills `dir` and writes its manifest.
void write_bundle_files(const BundleSources& sources, const fs::path& dir);

// Checks the manifest (hashes too when `verify`) and returns its content. Throws Error when it is
// no bundle, damaged, or newer than this program.
Json check_bundle(const fs::path& dir, bool verify);

}  // namespace podium::funnel
