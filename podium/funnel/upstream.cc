#include "podium/funnel/upstream.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "podium/artifact/checks.h"
#include "podium/base/json.h"

namespace podium::funnel {
namespace {

uint32_t sources_of(const retrieval::Blended& candidate) {
  uint32_t sources = 0;
  for (size_t s = 0; s < candidate.rank.size() && s < 32; ++s) {
    if (candidate.rank[s] >= 0) sources |= uint32_t{1} << s;
  }
  return sources;
}

}  // namespace

std::vector<size_t> order_by(std::span<const float> scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return order;
}

void Description::tell(const ranking::Features& features, const float* row, float score,
                       rerank::SlateCandidate& candidate) const {
  candidate.evidence = levels.of(features, row);
  if (scale.width() == 0) return;
  std::vector<float> all(row, row + features.count());
  all.push_back(score);
  candidate.numbers = scale.of(all);
}

Upstream::Upstream(const data::Dataset& dataset, retrieval::Sources sources,
                   Lazy<ranking::Ranker> ranker, Description description,
                   const UpstreamOptions& options)
    : sources_(std::make_unique<retrieval::Sources>(std::move(sources))),
      features_(std::make_unique<ranking::Features>(dataset, *sources_)),
      ranker_(std::move(ranker)),
      description_(std::move(description)),
      options_(options) {}

Upstream Upstream::load(const fs::path& dir, const data::Dataset& dataset,
                        const UpstreamOptions& options) {
  return {dataset,
          retrieval::load_sources(dir, options.sources, dataset.items()),
          Lazy<ranking::Ranker>([file = dir / "ranker.json"] {
            return std::make_unique<ranking::Ranker>(ranking::Ranker::load(file));
          }),
          {EvidenceLevels::from_json(artifact::read_own_json(dir / "evidence.json")),
           FeatureScale::from_json(artifact::read_own_json(dir / "scale.json"))},
          options};
}

void Upstream::save(const fs::path& dir) const {
  fs::create_directories(dir);
  retrieval::save_sources(*sources_, dir);
  ranker_.get().save(dir / "ranker.json");
  write_json_atomic(dir / "evidence.json", description_.levels.to_json());
  write_json_atomic(dir / "scale.json", description_.scale.to_json());
}

Found Upstream::find(const retrieval::Query& query, size_t k) const {
  Found found{retrieval::blend(*sources_, query, options_.blend), 0};
  found.blended = found.candidates.size();
  if (k <= found.blended) return found;
  retrieval::BlendOptions wide = options_.blend;
  wide.quota = std::max(wide.quota, int(k + found.blended));
  wide.total = wide.quota;
  std::unordered_set<data::ItemIndex> known;
  for (const auto& candidate : found.candidates) known.insert(candidate.item);
  for (auto& candidate : retrieval::blend(*sources_, query, wide)) {
    if (!known.contains(candidate.item)) found.candidates.push_back(std::move(candidate));
  }
  return found;
}

Ranked Upstream::rank(const retrieval::Query& query, const Found& found, size_t k) const {
  const size_t width = features_->count(), all = found.candidates.size();
  if (all == 0) return {};
  std::vector<float> rows(all * width);
  features_->compute(query, found.candidates, rows.data());
  const std::vector<float> scores = ranker_.get().predict(rows.data(), all, width);
  std::vector<size_t> order = order_by(std::span(scores).first(found.blended));
  for (const size_t i : order_by(std::span(scores).subspan(found.blended))) {
    order.push_back(found.blended + i);
  }
  order.resize(std::min(k, order.size()));
  Ranked ranked;
  for (const size_t i : order) {
    const retrieval::Blended& candidate = found.candidates[i];
    ranked.candidates.push_back({candidate.item, scores[i], {}, 0});
    description_.tell(*features_, &rows[i * width], scores[i], ranked.candidates.back());
    ranked.sources.push_back(sources_of(candidate));
  }
  return ranked;
}

std::vector<rerank::SlateCandidate> Upstream::rank(const retrieval::Query& query, size_t k) const {
  return rank(query, find(query, k), k).candidates;
}

Ranked Upstream::unranked(const Found& found, size_t k) {
  Ranked ranked;
  for (const retrieval::Blended& candidate : found.candidates) {
    if (ranked.candidates.size() == k) break;
    ranked.candidates.push_back({candidate.item, 0, {}, 0});
    ranked.sources.push_back(sources_of(candidate));
  }
  return ranked;
}

Ranked Upstream::popular(const retrieval::Query& query, size_t k) const {
  Ranked ranked;
  for (const retrieval::Scored& scored :
       sources_->popularity->retrieve(sources_->asked(query), k)) {
    ranked.candidates.push_back({scored.item, scored.score, {}, 0});
    ranked.sources.push_back(1);  // popularity is the first of Sources::all()
  }
  return ranked;
}

std::vector<rerank::SlateCandidate> Upstream::describe(
    const retrieval::Query& query, const std::vector<data::ItemIndex>& items) const {
  if (items.empty()) return {};
  std::unordered_map<data::ItemIndex, retrieval::Blended> found;
  for (auto& candidate : retrieval::blend(*sources_, query, options_.blend)) {
    const data::ItemIndex item = candidate.item;
    found.emplace(item, std::move(candidate));
  }
  std::vector<retrieval::Blended> given;
  for (const data::ItemIndex item : items) {
    const auto known = found.find(item);
    given.push_back(known == found.end() ? retrieval::Blended{item, {}, {}} : known->second);
  }
  const size_t width = features_->count();
  std::vector<float> rows(given.size() * width);
  features_->compute(query, given, rows.data());
  const std::vector<float> scores = ranker_.get().predict(rows.data(), given.size(), width);
  std::vector<rerank::SlateCandidate> described;
  for (size_t i = 0; i < given.size(); ++i) {
    described.push_back({items[i], scores[i], {}, 0});
    description_.tell(*features_, &rows[i * width], scores[i], described.back());
  }
  return described;
}

}  // namespace podium::funnel
