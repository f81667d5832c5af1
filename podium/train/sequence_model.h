// What the trainer of sequence models (sequence_train.h) asks of one: SASRec, HSTU.
#pragma once

#include <torch/torch.h>

#include <map>
#include <span>
#include <string>

#include "podium/base/files.h"
#include "podium/train/sequence_options.h"

namespace podium::train {

constexpr int64_t kPad = -1;  // as an item: there is no event here

// Sequences of events, one a row, right-aligned in the first columns; behind them, in the last
// `candidates` columns, items that might follow one of the row's prefixes. A token sees itself and
// the row's events of a smaller position: candidates do not see one another.
struct Tokens {
  torch::Tensor items;     // [rows, time] item or kPad
  torch::Tensor position;  // [rows, time] 0: the row's first event; a candidate's: the event's that
                           // it stands in for
  torch::Tensor times;     // [rows, time] seconds: of the event
  torch::Tensor asked;     // [rows, time] seconds: of the event after it; a candidate's own
  int64_t candidates = 0;
};

struct SequenceModelImpl : torch::nn::Module {
  explicit SequenceModelImpl(const SequenceOptions& given) : options(given) {}

  // embedded [rows, time, dim]: the item embeddings of the tokens. Returns their states, same
  // shape; an event's state scores the next item by a dot product with item_embedding.
  virtual torch::Tensor encode(const torch::Tensor& embedded, const Tokens& tokens) = 0;

  // vectors [items, width]: from now on an item is its learnt vector + its text's, projected.
  void add_text(std::span<const float> vectors, int64_t width);
  // [n, dim] of items [n]. While it trains, options.id_dropout of them by their text only.
  torch::Tensor embed(const torch::Tensor& items) const;
  torch::Tensor all_items() const;  // [items, dim], as they are served

  // Models that also rank candidates, by dot(event's state, candidate's embedding) +
  // dot(rank_head, candidate's state): the weight of that loss, and its negatives a row.
  double rank_weight = 0;
  int rank_negatives = 0;
  torch::Tensor rank_head;  // [dim]

  SequenceOptions options;
  torch::Tensor item_embedding;   // [items, dim]
  torch::Tensor text;             // [items, width], frozen; undefined: none
  torch::Tensor text_projection;  // [dim, width]
};

// The weights, with all_items() as item_embedding: a server need not know the text's part.
void save_model(const fs::path& file, const SequenceModelImpl& model,
                const std::map<std::string, std::string>& metadata);
// What save_model wrote, into a model of the same text. Throws Error when a tensor does not fit.
void load_model(const fs::path& file, SequenceModelImpl& model);

}  // namespace podium::train
