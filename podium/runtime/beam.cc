#include "podium/runtime/beam.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "podium/base/error.h"
#include "podium/runtime/sampling.h"

namespace podium::runtime {
namespace {

using rerank::ItemIndex;
using History = std::span<const ItemIndex>;

// The items of a history, and the nodes of a trie below which there are no others.
class Seen {
 public:
  Seen(const sid::SidTrie& trie, const sid::SidTable& sids, History history)
      : items_(history.begin(), history.end()), nodes_(size_t(trie.levels()) + 1) {
    std::sort(items_.begin(), items_.end());
    items_.erase(std::unique(items_.begin(), items_.end()), items_.end());
    for (int depth = 1; depth <= trie.levels(); ++depth) {
      std::vector<uint32_t> above;  // the node above every item
      for (const ItemIndex item : items_) {
        above.push_back(trie.find(sids.of(item).first(size_t(depth))).value());
      }
      std::sort(above.begin(), above.end());
      for (auto at = above.begin(); at != above.end();) {
        const auto end = std::upper_bound(at, above.end(), *at);
        const bool all = size_t(end - at) == trie.items(depth, *at).size();
        if (all) nodes_[size_t(depth)].push_back(*at);
        at = end;
      }
    }
  }

  bool contains(ItemIndex item) const {
    return std::binary_search(items_.begin(), items_.end(), item);
  }
  // Those nodes among [begin, end), ascending.
  std::span<const uint32_t> nodes(int depth, uint32_t begin, uint32_t end) const {
    const auto& nodes = nodes_[size_t(depth)];
    const auto first = std::lower_bound(nodes.begin(), nodes.end(), begin);
    const auto last = std::lower_bound(first, nodes.end(), end);
    return {nodes.data() + (first - nodes.begin()), size_t(last - first)};
  }

 private:
  std::vector<ItemIndex> items_;              // ascending
  std::vector<std::vector<uint32_t>> nodes_;  // by depth
};

// A beam's next step.
struct Step {
  float logprob;
  uint32_t node, parent;  // parent: number of the beam
  uint16_t code;

  bool operator<(const Step& other) const {  // likelier first
    return logprob != other.logprob ? logprob > other.logprob : node < other.node;
  }
};

// The first `most` of the steps offered.
class Best {
 public:
  explicit Best(size_t most) : most_(most) { steps_.reserve(2 * most); }

  void offer(const Step& step) {
    if (full_ && !(step < worst_)) return;
    steps_.push_back(step);
    if (steps_.size() == 2 * most_) cut();
  }
  std::vector<Step> take() {
    if (steps_.size() > most_) cut();
    std::sort(steps_.begin(), steps_.end());
    return std::move(steps_);
  }

 private:
  void cut() {
    std::nth_element(steps_.begin(), steps_.begin() + ptrdiff_t(most_ - 1), steps_.end());
    steps_.resize(most_);
    worst_ = steps_.back();
    full_ = true;
  }

  size_t most_;
  std::vector<Step> steps_;
  bool full_ = false;
  Step worst_{};
};

struct Beam {
  uint32_t node = 0;
  float logprob = 0;
  std::array<uint32_t, sid::kMaxLevels> places{};  // of its codes in the cache
};

// One request: its beams are branches of one sequence.
struct Tree {
  Seen seen;
  std::vector<TokenId> prompt;   // up to the history's end
  KvCache cache;                 // of the prompt, and of every beam's codes after it
  std::vector<TokenId> pending;  // not yet run through the model; from depth 1 on of every beam
  Branches branches;
  std::vector<Beam> beams;  // likeliest first
};

class Search {
 public:
  Search(const BeamTask& task, std::span<const History> histories)
      : task_(task), hidden_(size_t(task.model.spec.hidden)) {
    for (const History history : histories) trees_.push_back(start(history));
  }

  void run(std::span<std::vector<Retrieved>> results) {
    for (int depth = 0; depth < task_.trie.levels(); ++depth) {
      read(depth);
      size_t row = 0;
      for (Tree& tree : trees_) {
        const size_t rows = tree.beams.size();
        advance(tree, depth, row);
        row += rows;
      }
    }
    for (size_t i = 0; i < trees_.size(); ++i) results[i] = items_of(trees_[i]);
  }

 private:
  Tree start(History history) const {
    const size_t items = task_.context.sids.items();
    if (std::any_of(history.begin(), history.end(), [&](ItemIndex i) { return i >= items; })) {
      throw Error("a history holds an item that has no semantic ID", "use items of the catalogue");
    }
    const auto shown = std::min(history.size(), size_t(std::max(0, task_.options.max_history)));
    auto prompt = rerank::build_sequence(task_.context, history.last(shown));
    const size_t length = prompt.size() + size_t(task_.trie.levels());
    if (length > size_t(task_.model.spec.max_positions)) {
      throw Error(fmt::format("a history and a semantic ID take {} tokens, the model has {} "
                              "positions",
                              length, task_.model.spec.max_positions),
                  "show a shorter history");
    }
    // The last token is read in any case: what follows it is wanted.
    const auto known = std::span(prompt).first(prompt.size() - 1);
    KvCache cache = task_.prefixes ? task_.prefixes->find(known) : KvCache(task_.pool);
    std::vector<TokenId> pending(prompt.begin() + ptrdiff_t(cache.length()), prompt.end());
    return {{task_.trie, task_.context.sids, history},
            std::move(prompt),
            std::move(cache),
            std::move(pending),
            {},
            {Beam{}}};
  }

  // Runs what is pending through the model, and computes the logits of all codes after it.
  void read(int depth) {
    std::vector<Chunk> chunks;
    size_t rows = 0;
    for (Tree& tree : trees_) {
      if (tree.beams.empty()) continue;
      chunks.push_back({tree.pending, &tree.cache, depth > 0 ? &tree.branches : nullptr});
      rows += tree.beams.size();
    }
    if (chunks.empty()) return;
    const auto states = forward(task_.model, chunks, depth > 0 ? Rows::kAll : Rows::kLast, work_);
    if (depth == 0 && task_.prefixes) {
      for (const Tree& tree : trees_) {
        task_.prefixes->insert(tree.prompt, tree.cache);
      }
    }
    const auto first = size_t(task_.context.vocabulary.code(depth, 0));
    const size_t begin = first / kernels::kPanel * kernels::kPanel;
    const size_t end = first + size_t(task_.context.vocabulary.codes);
    skipped_ = first - begin;
    width_ = end - begin;
    logits_.resize(rows * width_);
    work_.input.assign(states.data(), rows, hidden_);
    task_.model.all.apply_range(work_.input, begin, end, logits_.data());
  }

  // From the beams of one depth, whose logits begin at `row`, to those of the next.
  void advance(Tree& tree, int depth, size_t row) {
    Best best(size_t(task_.options.beam));
    for (size_t b = 0; b < tree.beams.size(); ++b) {
      extend(tree, depth, b, logits_.data() + (row + b) * width_ + skipped_, best);
    }
    std::vector<Beam> beams;
    Branches& branches = tree.branches;
    const auto place = uint32_t(tree.cache.length());
    branches.width = size_t(depth);
    branches.runs.clear();
    tree.pending.clear();
    for (const Step& step : best.take()) {
      Beam beam = tree.beams[step.parent];
      beam.node = step.node;
      beam.logprob = step.logprob;
      for (int d = 0; d < depth; ++d) {
        branches.runs.push_back({beam.places[size_t(d)], beam.places[size_t(d)] + 1});
      }
      beam.places[size_t(depth)] = place + uint32_t(beams.size());
      tree.pending.push_back(task_.context.vocabulary.code(depth, step.code));
      beams.push_back(beam);
    }
    branches.position.assign(beams.size(), int(tree.prompt.size()) + depth);
    branches.trunk.assign(beams.size(), uint32_t(tree.prompt.size()));
    tree.beams = std::move(beams);
  }

  // Valid until the next call.
  std::span<const float> of_codes(const float* logits, std::span<const uint16_t> codes) {
    allowed_.clear();
    for (const uint16_t code : codes) allowed_.push_back(logits[code]);
    return allowed_;
  }

  // Offers every code that may follow a beam. logits: [codes].
  void extend(const Tree& tree, int depth, size_t index, const float* logits, Best& best) {
    const Beam& beam = tree.beams[index];
    const auto codes = task_.trie.next_codes(depth, beam.node);
    const auto width = size_t(task_.context.vocabulary.codes);
    const auto [top, log_sum] =
        task_.options.over_trie ? partition(of_codes(logits, codes)) : partition({logits, width});
    const float base = beam.logprob - top - float(log_sum);
    const uint32_t first = task_.trie.first_child(depth, beam.node);
    auto seen = tree.seen.nodes(depth + 1, first, first + uint32_t(codes.size()));
    for (size_t i = 0; i < codes.size(); ++i) {
      const auto node = first + uint32_t(i);
      if (!seen.empty() && seen.front() == node) {
        seen = seen.subspan(1);
        continue;
      }
      best.offer({base + logits[codes[i]], node, uint32_t(index), codes[i]});
    }
  }

  std::vector<Retrieved> items_of(const Tree& tree) const {
    std::vector<Retrieved> items;
    for (const Beam& beam : tree.beams) {
      for (const uint32_t item : task_.trie.items(task_.trie.levels(), beam.node)) {
        if (!tree.seen.contains(item)) items.push_back({item, beam.logprob});
      }
    }
    return items;
  }

  const BeamTask& task_;
  size_t hidden_;
  std::vector<Tree> trees_;
  Workspace work_;
  size_t width_ = 0, skipped_ = 0;  // of a row of logits_; what stands before the first code
  std::vector<float> logits_, allowed_;
};

}  // namespace

void beam_search(const BeamTask& task, std::span<const History> histories,
                 std::span<std::vector<Retrieved>> results) {
  const int vocab = task.context.tokenizer.vocab();
  if (vocab > task.model.spec.vocab) {
    throw Error(
        fmt::format("the tokenizer has {} tokens, the model {}", vocab, task.model.spec.vocab),
        "use the tokenizer.json that belongs to the model");
  }
  Search(task, histories).run(results);
}

}  // namespace podium::runtime
