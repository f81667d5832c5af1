// A bundle on disk: everything a server needs, in one self-contained directory. The pipeline writes
// it, podium/serving reads it; neither knows the other.
//
//   manifest.json   kind "bundle": files with their hashes; content: see below
//   dataset/        data::Dataset
//   sid/            sid::load_sid, text::load_text_encoder
//   upstream/       Upstream::load, fitted for the test phase
//   policy/         the reasoning policy: config.json, model.safetensors, tokenizer.json
//   policy-fast/    the internalised policy (answers without a trace)
//
// content: {"minor": 0, "serving": {"k": 10, "upstream.blend.quota": 60, ...}, "dataset", ...}.
// "serving" holds ServingOptions by their dotted keys; the rest is for people.
//
// Two versions. The manifest's own is raised when an older program would answer wrongly: any other
// than kBundleVersion is refused. "minor" is raised when a key is added that an older program may
// ignore: keys that this program does not know are ignored in a bundle of a newer minor version,
// and an error in any other.
#pragma once

#include <string>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/funnel/upstream.h"
#include "podium/rerank/prompt.h"

namespace podium::funnel {

inline constexpr int kBundleVersion = 10, kBundleMinorVersion = 0;

// What of a run's options its bundle is served with.
struct ServingOptions {
  int k = 10;          // candidates a slate
  int max_trace = 96;  // longest reasoning trace, tokens
  int block = 1;       // names of an answer that are chosen from one state
  UpstreamOptions upstream;
  rerank::PromptOptions prompt;
  template <class V>
  void visit(V& v) {
    v("k", k, "candidates a slate",
      between(double(rerank::kMinCandidates), double(rerank::kMaxCandidates)));
    v("max_trace", max_trace, "longest reasoning trace, tokens", between(0, 65536));
    v("block", block, "names of an answer that are chosen from one state",
      between(1, rerank::kMaxCandidates));
    v.section("upstream", upstream);
    v.section("prompt", prompt);
  }
};

struct BundleSources {
  fs::path dataset, sid, upstream, policy, policy_fast, tokenizer;
  ServingOptions options;
  Json content;  // for people
};

// Fills `dir` and writes its manifest.
void write_bundle_files(const BundleSources& sources, const fs::path& dir);

// Checks the manifest (hashes too when `verify`) and the options. Throws Error when it is no
// bundle, of another format, or damaged.
ServingOptions read_bundle_options(const fs::path& dir, bool verify);

}  // namespace podium::funnel
