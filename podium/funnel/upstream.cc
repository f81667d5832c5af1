#include "podium/funnel/upstream.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "podium/artifact/checks.h"
#include "podium/base/json.h"

namespace podium::funnel {

Upstream::Upstream(const data::Dataset& dataset, retrieval::Sources sources,
                   Lazy<ranking::Ranker> ranker, EvidenceLevels levels,
                   const UpstreamOptions& options)
    : sources_(std::make_unique<retrieval::Sources>(std::move(sources))),
      features_(std::make_unique<ranking::Features>(dataset, *sources_)),
      ranker_(std::move(ranker)),
      levels_(levels),
      options_(options) {}

Upstream Upstream::load(const fs::path& dir, const data::Dataset& dataset,
                        const UpstreamOptions& options) {
  return {dataset, retrieval::load_sources(dir, options.sources, dataset.items()),
          Lazy<ranking::Ranker>([file = dir / "ranker.json"] {
            return std::make_unique<ranking::Ranker>(ranking::Ranker::load(file));
          }),
          EvidenceLevels::from_json(artifact::read_own_json(dir / "evidence.json")), options};
}

void Upstream::save(const fs::path& dir) const {
  fs::create_directories(dir);
  retrieval::save_sources(*sources_, dir);
  ranker_.get().save(dir / "ranker.json");
  write_json_atomic(dir / "evidence.json", levels_.to_json());
}

std::vector<rerank::SlateCandidate> Upstream::rank(const retrieval::Query& query, size_t k) const {
  const auto blended = retrieval::blend(*sources_, query, options_.blend);
  const size_t width = features_->count();
  std::vector<float> rows(blended.size() * width);
  features_->compute(query, blended, rows.data());
  const std::vector<float> scores = ranker_.get().predict(rows.data(), blended.size(), width);
  std::vector<size_t> order(blended.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  order.resize(std::min(k, order.size()));
  std::vector<rerank::SlateCandidate> ranked;
  for (const size_t i : order) {
    ranked.push_back({blended[i].item, scores[i], levels_.of(*features_, &rows[i * width]), 0});
  }
  return ranked;
}

std::vector<rerank::SlateCandidate> Upstream::describe(
    const retrieval::Query& query, const std::vector<data::ItemIndex>& items) const {
  std::vector<retrieval::Blended> given;
  for (const data::ItemIndex item : items) given.push_back({item, {}, {}});
  const size_t width = features_->count();
  std::vector<float> rows(given.size() * width);
  features_->compute(query, given, rows.data());
  std::vector<rerank::SlateCandidate> described;
  for (size_t i = 0; i < given.size(); ++i) {
    described.push_back({items[i], 0, levels_.of(*features_, &rows[i * width]), 0});
  }
  return described;
}

}  // namespace podium::funnel
