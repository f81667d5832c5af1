// podium's rows of `make bench-peers` for a language model: prompts of token ids, prefixes kept as
// forks of a sequence, items' blocks apart from any sequence, answers decoded greedily, many
// requests in lockstep.
//
//   podium_llm_peer MODEL WORKLOAD.json...
#include "bench/measure.h"
#include "bench/peers/blocks.h"
#include "podium/runtime/checkpoint.h"
#include "podium/runtime/item_cache.h"

namespace podium::bench {
namespace {

using kernels::Precision;
using runtime::Chunk;
using runtime::KvCache;
using runtime::TokenId;

class LanguageModel {
 public:
  LanguageModel(const runtime::Checkpoint& checkpoint, const Workload& workload,
                Precision precision)
      : workload_(workload),
        model_(checkpoint.spec, weights_of(checkpoint), precision),
        pool_(model_.spec, precision != Precision::kFp32) {
    runtime::Workspace work;
    for (const PeerRequest& request : workload.requests) {
      prefixes_.emplace_back(pool_);
      items_.push_back(read(request, &prefixes_.back(), work));
    }
  }

  // Answers requests [begin, end): read one by one, decoded in one batch. Logits of names of the
  // last one.
  std::vector<float> answer(size_t begin, size_t end, bool warm) const {
    runtime::Workspace work;
    const auto hidden = size_t(model_.spec.hidden);
    std::vector<KvCache> caches;
    std::vector<float> states, names;
    for (size_t i = begin; i < end; ++i) {
      const PeerRequest& request = workload_.requests[i];
      caches.push_back(warm ? prefixes_[i] : KvCache(pool_));
      const auto fresh = warm ? Items{} : read(request, &caches.back(), work);
      size_t placed = 0;
      for (const runtime::ItemBlock& item : warm ? items_[i] : fresh) {
        runtime::append(model_, item, request.positions[request.prefix.size() + placed],
                        caches.back());
        placed += item.tokens;
      }
      const runtime::Branches branches =
          branches_of(request, caches.back().length(), request.positions.size());
      Chunk chunk{std::span(request.rest).subspan(placed), &caches.back(), &branches};
      const auto state = runtime::forward(model_, {&chunk, 1}, runtime::Rows::kLast, work);
      states.insert(states.end(), state.begin(), state.end());
    }
    for (const int name : workload_.names) {
      names.push_back(kernels::dot(states.data() + states.size() - hidden,
                                   model_.head + size_t(name) * hidden, hidden));
    }
    for (int step = 0; step < workload_.decoded(); ++step) {
      const std::vector<TokenId> next = best_tokens(states, end - begin, work);
      std::vector<Chunk> chunks;
      for (size_t i = 0; i < caches.size(); ++i) chunks.push_back({{&next[i], 1}, &caches[i]});
      const auto after = runtime::forward(model_, chunks, runtime::Rows::kLast, work);
      states.assign(after.begin(), after.end());
    }
    return names;
  }

 private:
  using Items = std::vector<runtime::ItemBlock>;

  // Reads a request's prefix, and its items' blocks.
  Items read(const PeerRequest& request, KvCache* prefix, runtime::Workspace& work) const {
    std::vector<Chunk> chunks = {{request.prefix, prefix}};
    const auto sizes = item_blocks(request);
    std::vector<KvCache> caches(sizes.size(), KvCache(pool_));
    auto rest = std::span(request.rest);
    for (size_t i = 0; i < sizes.size(); ++i) {
      chunks.push_back({rest.first(sizes[i]), &caches[i]});
      rest = rest.subspan(sizes[i]);
    }
    runtime::forward(model_, chunks, runtime::Rows::kLast, work);
    return {caches.begin(), caches.end()};
  }

  static runtime::WeightMap weights_of(const runtime::Checkpoint& checkpoint) {
    runtime::WeightMap weights;
    for (const auto& [name, values] : checkpoint.tensors) weights[name] = values;
    return weights;
  }

  std::vector<TokenId> best_tokens(const std::vector<float>& states, size_t rows,
                                   runtime::Workspace& work) const {
    const auto vocab = size_t(model_.spec.vocab);
    std::vector<float> logits(rows * vocab);
    work.input.assign(states.data(), rows, size_t(model_.spec.hidden));
    model_.all.apply(work.input, logits.data());
    std::vector<TokenId> best;
    for (size_t i = 0; i < rows; ++i) {
      const auto row = logits.begin() + std::ptrdiff_t(i * vocab);
      best.push_back(TokenId(std::max_element(row, row + std::ptrdiff_t(vocab)) - row));
    }
    return best;
  }

  const Workload& workload_;
  runtime::Model model_;
  mutable runtime::PagePool pool_;
  std::vector<KvCache> prefixes_;  // of requests
  std::vector<Items> items_;       // of requests
};

void measure(const runtime::Checkpoint& checkpoint, const Workload& workload, Precision precision) {
  const LanguageModel model(checkpoint, workload, precision);
  const size_t n = workload.requests.size(), half = (n + 1) / 2;
  Run run{workload.name, "", "podium", std::string(kernels::precision_name(precision)), "", 1};
  double most = 0;
  for (size_t i = 0; i < workload.logits.size(); ++i) {
    most = std::max(most, largest_difference(model.answer(i, i + 1, true), workload.logits[i]));
  }
  print_difference(run, most);
  for (const bool warm : {true, false}) {
    run.state = warm ? "warm" : "cold";
    run.threads = 1;
    measure_latency(run, n, [&](size_t i) { model.answer(i, i + 1, warm); });
    run.threads = 2;
    measure_rate(run, n, [&] {
      parallel_for(2, n, half, [&](size_t begin, size_t end) { model.answer(begin, end, warm); });
    });
  }
}

int run(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "podium_llm_peer MODEL WORKLOAD.json...\n");
    return 2;
  }
  const runtime::Checkpoint checkpoint = runtime::read_checkpoint(argv[1]);
  for (int i = 2; i < argc; ++i) {
    measure(checkpoint, read_workload(argv[i]), Precision::kInt8);
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
