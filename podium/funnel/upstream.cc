#include "podium/funnel/upstream.h"

#include <algorithm>
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

void Description::tell(const ranking::Features& features, const float* row, float score,
                       rerank::SlateCandidate& candidate) const {
  candidate.evidence = levels.of(features, row);
  candidate.ranker_score = score;
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
  if (found.candidates.empty()) return {};
  Described described{found.candidates, {}, found.blended};
  const std::vector<float> scores = score(query, described);
  const Arrangement arrangement =
      arrange_found(options_.order, size_t(options_.new_places), *sources_, described, scores);
  Ranked ranked;
  for (size_t r = 0; r < std::min(k, arrangement.order.size()); ++r) {
    const size_t i = arrangement.order[r];
    ranked.candidates.push_back(
        {.item = found.candidates[i].item, .upstream_score = arrangement.score[r]});
    description_.tell(*features_, &described.rows[i * features_->count()], scores[i],
                      ranked.candidates.back());
    ranked.sources.push_back(sources_of(found.candidates[i]));
  }
  return ranked;
}

std::vector<float> Upstream::score(const retrieval::Query& query, Described& described) const {
  const size_t width = features_->count(), n = described.candidates.size();
  described.rows.resize(n * width);
  features_->compute(query, described.candidates, described.rows.data());
  return ranker_.get().predict(described.rows.data(), n, width);
}

std::vector<rerank::SlateCandidate> Upstream::rank(const retrieval::Query& query, size_t k) const {
  return rank(query, find(query, k), k).candidates;
}

Ranked Upstream::unranked(const Found& found, size_t k) {
  Ranked ranked;
  for (const retrieval::Blended& candidate : found.candidates) {
    if (ranked.candidates.size() == k) break;
    ranked.candidates.push_back({.item = candidate.item});
    ranked.sources.push_back(sources_of(candidate));
  }
  return ranked;
}

Ranked Upstream::popular(const retrieval::Query& query, size_t k) const {
  Ranked ranked;
  for (const retrieval::Scored& scored :
       sources_->popularity->retrieve(sources_->asked(query), k)) {
    ranked.candidates.push_back({.item = scored.item, .upstream_score = scored.score});
    ranked.sources.push_back(1);  // popularity is the first of Sources::all()
  }
  return ranked;
}

SourceLists Upstream::lists(const retrieval::Query& query) const {
  return {*sources_, query, options_.blend};
}

bool Upstream::lists_read_time() const {
  return std::ranges::any_of(sources_->all(),
                             [](const auto* source) { return source->reads_time(); });
}

std::vector<rerank::SlateCandidate> Upstream::describe(const retrieval::Query& query,
                                                       const std::vector<data::ItemIndex>& items,
                                                       const SourceLists& lists) const {
  if (items.empty()) return {};
  Described given{lists.of(items), {}};
  const std::vector<float> scores = score(query, given);
  const Arrangement arrangement = arrange_given(options_.order, *features_, given, scores);
  std::vector<rerank::SlateCandidate> candidates(items.size());
  for (size_t r = 0; r < arrangement.order.size(); ++r) {
    const size_t i = arrangement.order[r];
    candidates[i] = {.item = items[i], .upstream_score = arrangement.score[r]};
    description_.tell(*features_, &given.rows[i * features_->count()], scores[i], candidates[i]);
  }
  return candidates;
}

}  // namespace podium::funnel
