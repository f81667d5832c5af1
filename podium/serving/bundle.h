// A bundle opened for requests: what a finished run knows, and nothing of what came after it.
// funnel/bundle_files.h has the directory's layout.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "podium/base/lazy.h"
#include "podium/data/dataset.h"
#include "podium/funnel/bundle_files.h"
#include "podium/rerank/prompt.h"
#include "podium/runtime/engine.h"
#include "podium/runtime/policy.h"
#include "podium/serving/claim_index.h"
#include "podium/serving/live_state.h"
#include "podium/sid/codebook.h"
#include "podium/text/text_encoder.h"
#include "podium/text/tokenizer.h"

namespace podium::serving {

struct BundleOptions {
  bool verify = false;  // compare every file with its hash; sizes and structure always are
  runtime::EngineOptions engine = {.precision = runtime::kServedPrecision,
                                   .prefix_bytes = size_t{128} << 20,
                                   .item_bytes = size_t{256} << 20};
};

// Immutable and thread-safe. Policies, the text encoder and the claim index are read when they
// are first asked for.
class Bundle {
 public:
  // Throws Error when the directory is no bundle, of another format, or damaged.
  static std::shared_ptr<const Bundle> open(const fs::path& dir, const BundleOptions& options = {});
  Bundle(const Bundle&) = delete;  // its parts refer to one another

  const fs::path& dir() const { return dir_; }
  const data::Dataset& dataset() const { return dataset_; }
  const funnel::ServingOptions& options() const { return options_; }
  const sid::SidModel& sids() const { return sids_; }
  const rerank::PromptContext& prompts() const { return prompts_; }
  const funnel::Upstream& upstream() const { return upstream_; }

  // What a user did before training ended, oldest first; times are the events' numbers where they
  // have none.
  std::vector<LiveEvent> events_of(std::string_view user) const;
  // [sids().dim], unit length, or zero: of a text that came after training.
  std::vector<float> embed(const std::string& text) const;

  // The reasoning policy, or the internalised one.
  const runtime::Policy& policy(bool with_trace) const;

  // Read when it is first asked for: it walks over all events.
  const ClaimIndex& claim_index() const { return claim_index_.get(); }

  size_t slate_size() const { return size_t(options_.k); }  // K: candidates that a policy orders
  // Whether the events have real times. Without, their times are numbers, and no clock is compared
  // with them.
  bool timed() const { return timed_; }
  // What bit s of AnswerItem::sources stands for.
  const std::vector<std::string>& source_names() const { return source_names_; }

 private:
  struct OpenPolicy {
    OpenPolicy(const fs::path& dir, const rerank::PromptContext& prompts,
               const runtime::EngineOptions& options);
    runtime::Engine engine;
    runtime::Policy policy;
  };

  struct Encoder {
    std::unique_ptr<text::TextEncoder> text;
  };

  Bundle(const fs::path& dir, const BundleOptions& options);
  rerank::PromptContext prompt_context() const;
  void check() const;
  Lazy<OpenPolicy> later(const char* name, const runtime::EngineOptions& options) const;

  fs::path dir_;
  funnel::ServingOptions options_;
  data::Dataset dataset_;
  text::Tokenizer tokenizer_;
  sid::SidModel sids_;
  rerank::Vocabulary vocabulary_;
  funnel::Upstream upstream_;
  rerank::PromptContext prompts_;
  bool timed_;
  std::vector<std::string> source_names_;
  Lazy<Encoder> encoder_;
  Lazy<OpenPolicy> reasoning_, fast_;
  Lazy<ClaimIndex> claim_index_;
};

}  // namespace podium::serving
