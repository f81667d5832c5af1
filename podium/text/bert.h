// A BERT-class sentence encoder of a Hugging Face directory as a text encoder, such as
// sentence-transformers/all-MiniLM-L6-v2: WordPiece (wordpiece.h), the transformer and mean pooling
// (bert_forward.h), vectors of unit length. docs/words.md says what is read and what is refused.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "podium/text/bert_model.h"
#include "podium/text/text_encoder.h"
#include "podium/text/wordpiece.h"

namespace podium::text {

class BertEncoder : public TextEncoder {
 public:
  // dir: config.json, model.safetensors or its shards, tokenizer.json or vocab.txt. Throws Error
  // on what is missing, damaged, or would be computed otherwise (bert_config.h, bert_model.h).
  explicit BertEncoder(const fs::path& dir,
                       kernels::Precision precision = kernels::Precision::kInt8);
  // From what save() wrote into dir, checked against its hash.
  static std::unique_ptr<BertEncoder> load(const fs::path& dir);

  size_t dim() const override { return size_t(model_.config.hidden); }
  // Text without a word is a vector of zeros. Text beyond config.max_tokens is cut off.
  void encode(std::string_view text, std::span<float> vector) const override;
  // Texts of like length are encoded together, the longest first.
  void encode_all(std::span<const std::string> texts, std::span<float> vectors,
                  int threads) const override;

  // sha256 over the model's files and the precision.
  std::string identity() const override;
  // The same, without packing the weights.
  static std::string identity_of(const fs::path& dir,
                                 kernels::Precision precision = kernels::Precision::kInt8);
  // Copies the model's files into dir/text_encoder, with their name and hash in encoder.json.
  void save(const fs::path& dir) const override;

  const BertConfig& config() const { return model_.config; }

 private:
  fs::path dir_;
  kernels::Precision precision_;
  WordPiece words_;
  BertModel model_;
};

}  // namespace podium::text
