// A tiny but whole bundle for tests: a real upstream, and policies with random weights.
#pragma once

#include <fmt/format.h>

#include "podium/artifact/manifest.h"
#include "podium/base/rng.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/split.h"
#include "podium/funnel/bundle_files.h"
#include "podium/funnel/upstream_fit.h"
#include "podium/rerank/evidence_teacher.h"
#include "podium/rerank/model_spec.h"
#include "podium/rerank/vocabulary.h"
#include "podium/runtime/test_weights.h"
#include "podium/sid/codebook.h"
#include "podium/sid/item_vectors.h"
#include "podium/text/encoder.h"

namespace podium::serving {

// Users "u0".. of 9 events each over 40 items "i0"..; neighbours by number go together.
inline void write_test_shop(const fs::path& dir, int users = 80) {
  data::DatasetBuilder builder;
  Rng rng(7);
  for (int i = 0; i < 40; ++i) {
    builder.add_item({.id = fmt::format("i{}", i),
                      .title = fmt::format("Thing {} of kind {}", i, i / 8),
                      .brand = fmt::format("brand{}", i % 3),
                      .description = "",
                      .categories = {"Shop", fmt::format("Kind {}", i / 8)},
                      .price = 1.0f + float(i)});
  }
  for (int u = 0; u < users; ++u) {
    const int start = int(rng.below(40));
    for (int e = 0; e < 9; ++e) {
      const int item = (start + e * 2 + int(rng.below(2))) % 40;
      builder.add_event({fmt::format("u{}", u), fmt::format("i{}", item), 86400 * (e + u % 5), 1});
    }
  }
  builder.write(dir, "test shop", 0, Json::object());
}

// numbers: of a candidate of this upstream.
inline void write_random_policy(const fs::path& dir, int vocab, int numbers, uint64_t seed) {
  const rerank::ModelSpec spec{.vocab = vocab,
                               .hidden = 32,
                               .layers = 1,
                               .heads = 2,
                               .kv_heads = 1,
                               .head_dim = 16,
                               .ffn = 48,
                               .text_width = 16,
                               .numbers = numbers,
                               .choice = 8};
  fs::create_directories(dir);
  Rng rng(seed);
  std::map<std::string, std::vector<float>, std::less<>> values;
  for (const rerank::TensorSpec& tensor : rerank::tensor_table(spec)) {
    auto& of_tensor = values[tensor.name];
    of_tensor.assign(size_t(tensor.elements()), 1.0f);
    if (tensor.shape.size() > 1) {
      for (float& x : of_tensor) x = float(0.3 * rng.normal());
    }
  }
  runtime::write_hugging_face(dir, spec, values);
}

inline int write_test_tokenizer(const fs::path& file, const data::Dataset& dataset,
                                const sid::SidTable& sids) {
  std::vector<std::string> texts = rerank::trace_phrases();
  for (data::ItemIndex i = 0; i < dataset.items(); ++i) texts.push_back(dataset.item_text(i));
  const auto added = rerank::added_tokens(sids.levels, sids.codes_per_level);
  const auto tokenizer = text::Tokenizer::train(texts, 300 + int(added.size()), added);
  tokenizer.save(file);
  return tokenizer.vocab();
}

// Returns the bundle's directory, inside `root`, which is emptied first.
inline fs::path write_test_bundle(const fs::path& root, int users = 80,
                                  const std::string& seen = "exclude", bool claims = false) {
  fs::remove_all(root);
  write_test_shop(root / "shop", users);
  const data::Dataset dataset = data::Dataset::open(root / "shop");
  const data::Split split = data::leave_one_out(dataset);

  funnel::ServingOptions options;
  options.upstream.ranker.rounds = 5;
  options.upstream.sources.seen = seen;
  options.max_trace = claims ? 96 : 12;
  options.prompt.claims = claims;
  const auto text_of = [&](size_t i) { return dataset.item_text(data::ItemIndex(i)); };
  const auto encoder = text::fit_text_encoder(dataset.items(), text_of, {.lsa = {.dim = 16}}, 1, 1);
  const sid::SidOptions sid_options{.codes = 16};
  const auto vectors = text::encode_texts(*encoder, dataset.items(), text_of, 1);
  const sid::SidModel sids = sid::fit_rq_kmeans(vectors, int(encoder->dim()), sid_options, 1, 1);
  fs::create_directories(root / "sid");
  sid::save_sid(root / "sid", sids);
  encoder->save(root / "sid");
  sid::save_item_vectors(root / "sid", vectors, encoder->dim());
  funnel::fit_upstream({.dataset = &dataset,
                        .split = &split,
                        .item_vectors = vectors,
                        .dim = encoder->dim(),
                        .slates = {},
                        .valid = {},
                        .test = {},
                        .options = options.upstream},
                       root / "upstream");
  const fs::path upstream = root / "upstream" / "serving";
  const int vocab = write_test_tokenizer(root / "tokenizer.json", dataset, sids.table);
  const auto scale = funnel::FeatureScale::from_json(read_json(upstream / "scale.json"));
  write_random_policy(root / "policy", vocab, int(scale.numbers()), 1);
  write_random_policy(root / "policy-fast", vocab, int(scale.numbers()), 2);
  fs::create_directories(root / "bundle");
  funnel::write_bundle_files({.dataset = root / "shop",
                              .sid = root / "sid",
                              .upstream = upstream,
                              .policy = root / "policy",
                              .policy_fast = root / "policy-fast",
                              .tokenizer = root / "tokenizer.json",
                              .options = options,
                              .content = {{"dataset", "test shop"}}},
                             root / "bundle");
  return root / "bundle";
}

// A copy of a bundle beside it, called `name`, whose files are changed; its manifest is of them.
template <class Change>
fs::path with_files(const fs::path& bundle, const std::string& name, const Change& change) {
  const fs::path copy = bundle.parent_path() / name;
  fs::remove_all(copy);
  fs::copy(bundle, copy, fs::copy_options::recursive);
  const Json content = artifact::read_manifest(copy, "bundle", funnel::kBundleVersion);
  change(copy);
  artifact::write_manifest(copy, "bundle", funnel::kBundleVersion, content);
  return copy;
}

// Whose policy orders candidates otherwise.
inline fs::path with_other_policy(const fs::path& bundle, const std::string& name) {
  return with_files(bundle, name, [](const fs::path& copy) {
    const Json config = read_json(copy / "policy-fast" / "config.json");
    const auto scale = funnel::FeatureScale::from_json(read_json(copy / "upstream" / "scale.json"));
    write_random_policy(copy / "policy-fast", config.at("vocab_size").get<int>(),
                        int(scale.numbers()), 99);
  });
}
// That answers no request for an explanation: its reasoning policy cannot be read.
inline fs::path with_broken_policy(const fs::path& bundle, const std::string& name) {
  return with_files(bundle, name, [](const fs::path& copy) {
    write_file_atomic(copy / "policy" / "config.json", "{}");
  });
}

// A copy of a bundle beside it, whose manifest is changed; the last one's place is taken.
template <class Change>
fs::path with_manifest(const fs::path& bundle, const Change& change) {
  const fs::path copy = bundle.parent_path() / "copy";
  fs::remove_all(copy);
  fs::copy(bundle, copy, fs::copy_options::recursive);
  Json manifest = read_json(copy / "manifest.json");
  change(manifest);
  write_json_atomic(copy / "manifest.json", manifest);
  return copy;
}

}  // namespace podium::serving
