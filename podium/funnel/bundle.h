// A bundle: everything a server needs, in one self-contained directory. The pipeline writes it,
// podium/serving reads it; neither knows the other.
//
//   manifest.json   kind "bundle": files with their hashes; content {"dataset", "k"}
//   serving.toml    ServingOptions
//   dataset/        data::Dataset
//   sid/            sid::load_sid
//   upstream/       Upstream::load, fitted for the test phase
//   policy/         the reasoning policy: config.json, model.safetensors, tokenizer.json
//   policy-fast/    the internalised policy (answers without a trace)
#pragma once

#include <string>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/funnel/upstream.h"
#include "podium/rerank/prompt.h"

namespace podium::funnel {

inline constexpr int kBundleVersion = 3;

// What of a run's options its bundle is served with.
struct ServingOptions {
  int k = 10;          // candidates a slate
  int max_trace = 96;  // longest reasoning trace, tokens
  UpstreamOptions upstream;
  rerank::PromptOptions prompt;
  template <class V>
  void visit(V& v) {
    v("k", k, "candidates a slate");
    v("max_trace", max_trace, "longest reasoning trace, tokens");
    v.section("upstream", upstream);
    v.section("prompt", prompt);
  }
};

struct BundleSources {
  fs::path dataset, sid, upstream, policy, policy_fast, tokenizer;
  ServingOptions options;
  Json content;
};

// Fills `dir` and writes its manifest.
void write_bundle_files(const BundleSources& sources, const fs::path& dir);

// Checks the manifest (hashes too when `verify`). Throws Error when it is no bundle, damaged, or
// newer than this program.
ServingOptions read_bundle_options(const fs::path& dir, bool verify);

}  // namespace podium::funnel
