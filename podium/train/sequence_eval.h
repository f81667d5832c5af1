// How well sequence models predict: full ranking over the catalogue, seen items removed, ties by
// ascending item index.
#pragma once

#include <span>

#include "podium/data/split.h"
#include "podium/sequence/hstu.h"
#include "podium/train/sequence_model.h"

namespace podium::train {

struct RankMetrics {
  double recall5 = 0, recall10 = 0, ndcg5 = 0, ndcg10 = 0;
};

// By dot product of the newest event's state with the item embeddings.
RankMetrics evaluate_sequence_model(SequenceModelImpl& model, const data::Dataset& dataset,
                                    std::span<const data::Target> targets);

// Every item as a candidate, by the state of its own token: with the code that serves it.
RankMetrics evaluate_hstu_ranking(const sequence::Hstu& model, const data::Dataset& dataset,
                                  std::span<const data::Target> targets);

}  // namespace podium::train
