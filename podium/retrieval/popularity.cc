#include "podium/retrieval/popularity.h"

#include <cmath>
#include <numeric>

#include "podium/artifact/checks.h"
#include "podium/artifact/safetensors.h"
#include "podium/retrieval/ranked.h"

namespace podium::retrieval {

std::unique_ptr<Popularity> Popularity::fit(const data::View& view, double half_life_days) {
  auto model = std::make_unique<Popularity>();
  const size_t items = view.dataset->items();
  std::vector<double> score(items);
  model->count_.resize(items);
  model->last_.resize(items);
  int64_t newest = INT64_MIN;
  for (data::UserIndex u = 0; u < view.length.size(); ++u) {
    for (const int64_t time : view.times_of(u)) newest = std::max(newest, time);
  }
  for (data::UserIndex u = 0; u < view.length.size(); ++u) {
    const auto history = view.items_of(u);
    const auto times = view.times_of(u);
    for (size_t i = 0; i < history.size(); ++i) {
      const double days = double(newest - times[i]) / 86400;
      score[history[i]] += half_life_days > 0 ? std::exp2(-days / half_life_days) : 1;
      ++model->count_[history[i]];
      model->last_[history[i]] = std::max(model->last_[history[i]], times[i]);
    }
  }
  model->score_.assign(score.begin(), score.end());
  model->sort();
  return model;
}

void Popularity::sort() {
  order_.resize(score_.size());
  std::iota(order_.begin(), order_.end(), ItemIndex{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](ItemIndex a, ItemIndex b) { return score_[a] > score_[b]; });
}

std::vector<Scored> Popularity::retrieve(const Query& query, size_t n) const {
  const auto hidden = hidden_items(query);
  std::vector<Scored> found;
  for (const ItemIndex item : order_) {
    if (found.size() == n || score_[item] <= 0) break;
    if (!hidden.contains(item)) found.push_back({item, score_[item]});
  }
  return found;
}

void Popularity::save(const fs::path& dir) const {
  artifact::SafetensorsWriter writer;
  writer.add<float>("score", score_);
  writer.add<uint32_t>("count", count_);
  writer.add<int64_t>("last", last_);
  writer.write(dir / "popularity.safetensors");
}

std::unique_ptr<Popularity> Popularity::load(const fs::path& dir) {
  const fs::path path = dir / "popularity.safetensors";
  const artifact::SafetensorsFile file(path);
  auto model = std::make_unique<Popularity>();
  const auto score = file.get<float>("score");
  const auto count = file.get<uint32_t>("count");
  const auto last = file.get<int64_t>("last");
  artifact::check_sound(!score.empty() && count.size() == score.size() &&
                            last.size() == score.size() && artifact::all_finite(score),
                        "the items' popularity", path);
  model->score_.assign(score.begin(), score.end());
  model->count_.assign(count.begin(), count.end());
  model->last_.assign(last.begin(), last.end());
  model->sort();
  return model;
}

}  // namespace podium::retrieval
