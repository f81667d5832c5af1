#include "podium/train/new_policy.h"

#include <fmt/format.h>

#include <cmath>

#include "podium/base/error.h"
#include "podium/base/rng.h"

namespace podium::train {
namespace {

using torch::Tensor;

constexpr double kNoise = 0.1;  // of the spread of a public checkpoint's rows

// rows [vocab, hidden], random: those of evidence become the sums of their kinds' levels.
void sum_levels(Tensor rows, const rerank::Vocabulary& vocabulary) {
  const Tensor levels =
      rows.narrow(0, vocabulary.first_evidence, rerank::kEvidenceKinds * 4).clone();
  for (int group = 0; group < rerank::kEvidenceGroups; ++group) {
    for (int value = 0; value < rerank::kGroupValues; ++value) {
      Tensor row = rows[vocabulary.first_evidence + group * rerank::kGroupValues + value];
      row.zero_();
      for (int i = 0; i < rerank::kGroupKinds; ++i) {
        const int kind = group * rerank::kGroupKinds + i;
        row.add_(levels[kind * 4 + rerank::group_level(value, i)],
                 1 / std::sqrt(double(rerank::kGroupKinds)));
      }
    }
  }
}

// The rows of `old` that have a token, and new ones up to `vocab`.
Tensor extended_rows(const Tensor& old, int64_t known, int64_t vocab,
                     const rerank::Vocabulary& vocabulary, Rng rng) {
  Tensor rows = torch::zeros({vocab, old.size(1)});
  Tensor fresh = rows.slice(0, known);
  float* data = fresh.data_ptr<float>();
  for (int64_t i = 0; i < fresh.numel(); ++i) data[i] = float(rng.normal());
  sum_levels(rows, vocabulary);
  const Tensor kept = old.slice(0, 0, known);
  fresh.mul_(kept.std(0) * kNoise).add_(kept.mean(0));
  rows.slice(0, 0, known).copy_(kept);
  return rows;
}

void check_tokenizers(const text::Tokenizer& own, const text::Tokenizer& tokenizer, int rows,
                      const fs::path& checkpoint) {
  bool same = own.vocab() <= tokenizer.vocab();
  for (text::TokenId t = 0; same && t < own.vocab(); ++t) {
    same = own.bytes_of(t) == tokenizer.bytes_of(t);
  }
  if (!same) {
    throw Error("the tokenizer was not made from that of the backbone",
                "run the tokenizer stage with the same policy.backbone", checkpoint.string());
  }
  if (own.vocab() > rows) {
    throw Error(fmt::format("the backbone's tokenizer has {} tokens, its embedding {} rows",
                            own.vocab(), rows),
                "use the tokenizer.json that belongs to the model", checkpoint.string());
  }
}

}  // namespace

Qwen3 new_policy(const rerank::ModelSpec& spec, const rerank::Vocabulary& vocabulary,
                 uint64_t seed) {
  Qwen3 model(spec, seed);
  const torch::NoGradGuard no_grad;
  sum_levels(model->weights.front(), vocabulary);
  return model;
}

Qwen3 policy_from(const fs::path& checkpoint, const text::Tokenizer& tokenizer,
                  const rerank::Vocabulary& vocabulary, uint64_t seed) {
  const Qwen3 old = load_policy(checkpoint);
  rerank::ModelSpec spec = old->spec;
  if (spec.reads_slates()) {
    throw Error("the backbone is a policy that reads slates already",
                "go on from it with podium-train sft --policy", checkpoint.string());
  }
  const text::Tokenizer own = text::Tokenizer::load(text::tokenizer_of(checkpoint));
  check_tokenizers(own, tokenizer, spec.vocab, checkpoint);
  spec.vocab = tokenizer.vocab();
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> weights = old->weights;
  const auto table = rerank::tensor_table(spec);
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = weights[i].detach();
    if (table[i].name != rerank::kEmbedding && table[i].name != rerank::kHead) continue;
    weights[i] = extended_rows(weights[i], own.vocab(), spec.vocab, vocabulary,
                               Rng(seed).fork("rows").fork(table[i].name));
  }
  return Qwen3(spec, std::move(weights));
}

}  // namespace podium::train
