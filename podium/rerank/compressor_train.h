// Training of the compressor: on each slate several drafts of its items' text are drawn, a reader
// answers from each, and the drafts that were worth more than the slate's others become likelier
// (group-relative policy gradient, as DAPO's advantages; docs/gr2.md).
//
// The reader orders candidates by the mean cosine of their text's vector with those of the ten last
// items of the history, so that only words count. P is the mean cosine of an item's vector with
// that of its whole text, Q is NDCG@3.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "podium/base/option_range.h"
#include "podium/rerank/compressor.h"
#include "podium/rerank/slate.h"
#include "podium/text/text_encoder.h"

namespace podium::rerank {

struct CompressOptions {
  double alpha = 0.3;
  int steps = 200;
  int batch_slates = 8;
  int drafts = 8;
  double learning_rate = 0.1;
  template <class V>
  void visit(V& v) {
    v("alpha", alpha, "weight of what is saved in the reward, against what the reader makes of it",
      between(0, 1));
    v("steps", steps, "steps of training", between(1, 1000000));
    v("batch_slates", batch_slates, "slates a step", between(1, 100000));
    v("drafts", drafts, "drafts of each slate's text", between(2, 1000));
    v("learning_rate", learning_rate, "Adam's step", between(1e-6, 10));
  }
};

// What reads. All must outlive it. Immutable and thread-safe.
class TextReader {
 public:
  // whole: vectors of the items' whole text, [items, encoder.dim()].
  TextReader(const ItemWords& words, const text::TextEncoder& encoder, std::span<const float> whole)
      : words_(words), encoder_(encoder), whole_(whole) {}

  // The items whose text a slate shows: the last ten of its history, then its candidates.
  static std::vector<ItemIndex> shown(const Slate& slate);
  // kept: what stays of each of shown(slate).
  Compression read(const Slate& slate, std::span<const KeptWords> kept) const;
  double full_quality(const Slate& slate) const;  // NDCG@3 from the whole text

 private:
  const ItemWords& words_;
  const text::TextEncoder& encoder_;
  std::span<const float> whole_;
};

struct CompressorState {
  int64_t step = 0;
  WordWeights weights = {}, mean = {}, square = {};  // Adam's
};
Json to_json(const CompressorState& state);
CompressorState compressor_state(const Json& json);

struct CompressTask {
  const ItemWords& words;
  const TextReader& reader;
  std::span<const Slate> slates;  // each can be ranked
  const CompressOptions& options;
  uint64_t seed = 1;
  int threads = 1;
};
// Goes on from `state` to the last step; step() is called after each, with its mean reward and
// share. A function of its arguments, whatever the threads.
CompressorState train_compressor(
    const CompressTask& task, CompressorState state,
    const std::function<void(const CompressorState&, double reward, double share)>& step);

// Means over the slates that can be ranked, of whole text, of the learnt words, and of as many
// words of each item: its first, random, its rarest.
Json compare_compressions(const CompressTask& task, const WordWeights& weights);

}  // namespace podium::rerank
