#include "podium/rerank/compressor_train.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "podium/base/parallel.h"
#include "podium/rerank/reward.h"

namespace podium::rerank {
namespace {

constexpr size_t kNewest = 10, kRanks = 3;

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * double(b[i]);
  return sum;
}

// vectors: [shown, dim].
double quality_of(const Slate& slate, std::span<const float> vectors, size_t dim) {
  const size_t k = slate.candidates.size(), history = vectors.size() / dim - k;
  const auto vector = [&](size_t i) { return vectors.subspan(i * dim, dim); };
  std::vector<double> likeness(k);
  for (size_t c = 0; c < k; ++c) {
    for (size_t h = 0; h < history; ++h) likeness[c] += dot(vector(h), vector(history + c));
  }
  std::vector<int> order(k);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order,
                           [&](int a, int b) { return likeness[size_t(a)] > likeness[size_t(b)]; });
  return ndcg(gains_of(slate), order, kRanks);
}

// A draft of a slate's text, with what it was worth.
struct Draft {
  std::vector<KeptWords> kept;  // [shown]
  Compression compression;
  double reward = 0;
};

Draft draw(const CompressTask& task, const WordWeights& weights, const Slate& slate, Rng rng) {
  Draft draft;
  for (const ItemIndex item : TextReader::shown(slate)) {
    draft.kept.push_back(sample_kept(weights, task.words.of(item), rng));
  }
  draft.compression = task.reader.read(slate, draft.kept);
  draft.reward = compression_reward(draft.compression, task.options.alpha);
  return draft;
}

// d log P(draft) / d weights, times the draft's advantage.
void add_gradient(const CompressTask& task, const WordWeights& weights, const Slate& slate,
                  const Draft& draft, double advantage, WordWeights& sum) {
  const auto items = TextReader::shown(slate);
  for (size_t i = 0; i < items.size(); ++i) {
    const auto words = task.words.of(items[i]);
    for (size_t w = 0; w < words.size(); ++w) {
      const double missed = draft.kept[i][w] - keep_probability(weights, words[w]);
      for (size_t f = 0; f < kWordFeatures; ++f) {
        sum[f] += advantage * missed * double(words[w].features[f]);
      }
    }
  }
}

// (R - mean) / std of a slate's drafts; zeros where all were worth the same.
std::vector<double> advantages_of(std::span<const Draft> drafts) {
  const auto n = double(drafts.size());
  double mean = 0, square = 0;
  for (const Draft& draft : drafts) mean += draft.reward / n;
  for (const Draft& draft : drafts) square += (draft.reward - mean) * (draft.reward - mean) / n;
  std::vector<double> advantages;
  for (const Draft& draft : drafts) {
    advantages.push_back(square > 1e-12 ? (draft.reward - mean) / std::sqrt(square) : 0);
  }
  return advantages;
}

void adam_step(const WordWeights& gradient, double rate, CompressorState& state) {
  constexpr double kMean = 0.9, kSquare = 0.99;
  ++state.step;
  for (size_t f = 0; f < kWordFeatures; ++f) {
    state.mean[f] = kMean * state.mean[f] + (1 - kMean) * gradient[f];
    state.square[f] = kSquare * state.square[f] + (1 - kSquare) * gradient[f] * gradient[f];
    const double mean = state.mean[f] / (1 - std::pow(kMean, double(state.step)));
    const double square = state.square[f] / (1 - std::pow(kSquare, double(state.step)));
    state.weights[f] += rate * mean / (std::sqrt(square) + 1e-9);
  }
}

size_t count_of(const KeptWords& kept) { return size_t(std::ranges::count(kept, 1)); }

}  // namespace

std::vector<ItemIndex> TextReader::shown(const Slate& slate) {
  const size_t known = std::min(kNewest, slate.history.size());
  std::vector<ItemIndex> items(slate.history.end() - std::ptrdiff_t(known), slate.history.end());
  for (const SlateCandidate& candidate : slate.candidates) items.push_back(candidate.item);
  return items;
}

double TextReader::full_quality(const Slate& slate) const {
  const size_t dim = encoder_.dim();
  std::vector<float> vectors;
  for (const ItemIndex item : shown(slate)) {
    const auto own = whole_.subspan(item * dim, dim);
    vectors.insert(vectors.end(), own.begin(), own.end());
  }
  return quality_of(slate, vectors, dim);
}

Compression TextReader::read(const Slate& slate, std::span<const KeptWords> kept) const {
  const auto items = shown(slate);
  const size_t dim = encoder_.dim();
  std::vector<float> vectors(items.size() * dim);
  Compression found{.full_quality = full_quality(slate)};
  size_t words = 0, left = 0;
  double information = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string text = kept_text(words_.of(items[i]), kept[i]);
    const auto own = std::span(vectors).subspan(i * dim, dim);
    encoder_.encode(text, own);
    information += std::max(0.0, dot(own, whole_.subspan(items[i] * dim, dim)));
    found.ellipsis |=
        text.find("...") != std::string::npos || text.find("\u2026") != std::string::npos;
    words += kept[i].size();
    left += count_of(kept[i]);
  }
  found.share = double(left) / double(std::max<size_t>(1, words));
  found.information = std::min(1.0, information / double(items.size()));
  found.quality = quality_of(slate, vectors, dim);
  return found;
}

Json to_json(const CompressorState& state) {
  return {{"step", state.step},
          {"weights", state.weights},
          {"mean", state.mean},
          {"square", state.square}};
}

CompressorState compressor_state(const Json& json) {
  CompressorState state;
  state.step = json.at("step");
  state.weights = json.at("weights");
  state.mean = json.at("mean");
  state.square = json.at("square");
  return state;
}

CompressorState train_compressor(
    const CompressTask& task, CompressorState state,
    const std::function<void(const CompressorState&, double reward, double share)>& step) {
  const auto batch = size_t(task.options.batch_slates), drafts = size_t(task.options.drafts);
  while (state.step < task.options.steps) {
    const Rng root = Rng(task.seed).fork("compress").fork(uint64_t(state.step));
    Rng drawing = root.fork("slates");
    std::vector<const Slate*> slates;
    for (size_t i = 0; i < batch; ++i) {
      slates.push_back(&task.slates[drawing.below(task.slates.size())]);
    }
    std::vector<Draft> all(batch * drafts);
    parallel_for(task.threads, all.size(), 1, [&](size_t i, size_t) {
      all[i] = draw(task, state.weights, *slates[i / drafts], root.fork(uint64_t(i)));
    });
    WordWeights gradient = {};
    double reward = 0, share = 0;
    for (size_t s = 0; s < batch; ++s) {
      const auto group = std::span(all).subspan(s * drafts, drafts);
      const std::vector<double> advantages = advantages_of(group);
      for (size_t d = 0; d < drafts; ++d) {
        add_gradient(task, state.weights, *slates[s], group[d], advantages[d], gradient);
        reward += group[d].reward / double(all.size());
        share += group[d].compression.share / double(all.size());
      }
    }
    adam_step(gradient, task.options.learning_rate, state);
    step(state, reward, share);
  }
  return state;
}

Json compare_compressions(const CompressTask& task, const WordWeights& weights) {
  using Choose = std::function<KeptWords(ItemIndex, size_t)>;  // item, words to keep
  const auto words = [&](ItemIndex item) { return task.words.of(item); };
  const std::vector<std::pair<std::string, Choose>> ways = {
      {"whole", [&](ItemIndex i, size_t) { return KeptWords(words(i).size(), 1); }},
      {"learnt", [&](ItemIndex i, size_t) { return likely_kept(weights, words(i)); }},
      {"first", [&](ItemIndex i, size_t n) { return first_words(words(i).size(), n); }},
      {"random",
       [&](ItemIndex i, size_t n) {
         Rng rng = Rng(task.seed).fork("random").fork(uint64_t(i));
         return random_words(words(i).size(), n, rng);
       }},
      {"rarest", [&](ItemIndex i, size_t n) { return rarest_words(words(i), n); }}};
  Json table = Json::object();
  for (const auto& way : ways) {
    std::vector<Compression> found(task.slates.size());
    parallel_for(task.threads, found.size(), 1, [&](size_t s, size_t) {
      std::vector<KeptWords> kept;
      for (const ItemIndex item : TextReader::shown(task.slates[s])) {
        kept.push_back(way.second(item, count_of(likely_kept(weights, words(item)))));
      }
      found[s] = task.reader.read(task.slates[s], kept);
    });
    double share = 0, information = 0, quality = 0;
    for (const Compression& c : found) {
      share += c.share / double(found.size());
      information += c.information / double(found.size());
      quality += c.quality / double(found.size());
    }
    table[way.first] = {{"share", share}, {"information", information}, {"ndcg3", quality}};
  }
  return table;
}

}  // namespace podium::rerank
