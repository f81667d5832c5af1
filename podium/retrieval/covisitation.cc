#include "podium/retrieval/covisitation.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "podium/artifact/checks.h"
#include "podium/artifact/safetensors.h"
#include "podium/retrieval/ranked.h"

namespace podium::retrieval {
namespace {

struct Meeting {
  ItemIndex a, b;
  float near;  // 1 / places apart, less where b came before a
  float next;  // 1 if b followed a directly
};

std::vector<Meeting> meetings(const data::View& view, const CovisitationOptions& options) {
  std::vector<Meeting> met;
  for (data::UserIndex u = 0; u < view.length.size(); ++u) {
    const auto history = view.items_of(u);
    for (size_t i = 0; i < history.size(); ++i) {
      for (size_t j = i + 1; j < history.size() && j <= i + size_t(options.window); ++j) {
        if (history[i] == history[j]) continue;
        const float near = 1.0F / float(j - i);
        met.push_back({history[i], history[j], near, j == i + 1 ? 1.0F : 0.0F});
        met.push_back({history[j], history[i], float(options.backward) * near, 0.0F});
      }
    }
  }
  std::sort(met.begin(), met.end(),
            [](const Meeting& x, const Meeting& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; });
  return met;
}

// A row of ascending partners for every item.
void check_rows(std::span<const int64_t> begin, std::span<const ItemIndex> partner, size_t items,
                const fs::path& path) {
  bool sound = items > 0 && begin.size() == items + 1 &&
               artifact::are_offsets(begin, partner.size()) && artifact::all_below(partner, items);
  for (size_t i = 0; sound && i < items; ++i) {
    sound = std::is_sorted(partner.begin() + begin[i], partner.begin() + begin[i + 1]);
  }
  artifact::check_sound(sound, "the pairs of co-visitation", path);
}

}  // namespace

std::unique_ptr<Covisitation> Covisitation::fit(const data::View& view,
                                                const CovisitationOptions& options) {
  auto model = std::make_unique<Covisitation>();
  model->options_ = options;
  const size_t items = view.dataset->items();
  model->popularity_.assign(items, 0);
  for (data::UserIndex u = 0; u < view.length.size(); ++u) {
    for (const ItemIndex item : view.items_of(u)) ++model->popularity_[item];
  }
  model->begin_.assign(items + 1, 0);
  const std::vector<Meeting> met = meetings(view, options);
  for (size_t i = 0; i < met.size(); ++i) {
    if (i == 0 || met[i].a != met[i - 1].a || met[i].b != met[i - 1].b) {
      model->partner_.push_back(met[i].b);
      model->near_.push_back(0);
      model->next_.push_back(0);
    }
    model->near_.back() += met[i].near;
    model->next_.back() += met[i].next;
    model->begin_[met[i].a + 1] = int64_t(model->partner_.size());
  }
  for (size_t i = 0; i < items; ++i) {
    model->begin_[i + 1] = std::max(model->begin_[i + 1], model->begin_[i]);
  }
  model->weigh();
  return model;
}

void Covisitation::weigh() {
  weight_.resize(popularity_.size());
  for (size_t i = 0; i < weight_.size(); ++i) {
    weight_[i] = float(std::pow(std::max(1.0F, popularity_[i]), -options_.popularity_power));
  }
}

std::vector<Scored> Covisitation::retrieve(const Query& query, size_t n) const {
  const auto hidden = hidden_items(query);
  std::unordered_map<ItemIndex, double> score;
  double weight = 1;
  const size_t spoken = std::min(query.history.size(), size_t(std::max(0, options_.last)));
  for (size_t back = 1; back <= spoken; ++back, weight *= options_.decay) {
    const ItemIndex item = query.history[query.history.size() - back];
    for (int64_t p = begin_[item]; p < begin_[item + 1]; ++p) {
      const ItemIndex candidate = partner_[size_t(p)];
      score[candidate] += weight * double(near_[size_t(p)] * weight_[candidate]);
    }
  }
  std::vector<Scored> found;
  for (const auto& [item, value] : score) {
    if (!hidden.contains(item)) found.push_back({item, float(value)});
  }
  keep_best(found, n);
  return found;
}

size_t Covisitation::find(ItemIndex a, ItemIndex b) const {
  const auto first = partner_.begin() + begin_[a], last = partner_.begin() + begin_[a + 1];
  const auto found = std::lower_bound(first, last, b);
  return found == last || *found != b ? partner_.size() : size_t(found - partner_.begin());
}

float Covisitation::near(ItemIndex a, ItemIndex b) const {
  const size_t at = find(a, b);
  return at == partner_.size() ? 0 : near_[at];
}

float Covisitation::next(ItemIndex a, ItemIndex b) const {
  const size_t at = find(a, b);
  return at == partner_.size() ? 0 : next_[at];
}

float Covisitation::affinity(ItemIndex a, ItemIndex b) const {
  const float met = near(a, b);
  return met == 0 ? 0 : met / std::sqrt(popularity_[a] * popularity_[b]);
}

void Covisitation::save(const fs::path& dir) const {
  artifact::SafetensorsWriter writer;
  writer.add<int64_t>("begin", begin_);
  writer.add<uint32_t>("partner", partner_);
  writer.add<float>("near", near_);
  writer.add<float>("next", next_);
  writer.add<float>("popularity", popularity_);
  writer.write(dir / "covisitation.safetensors");
}

std::unique_ptr<Covisitation> Covisitation::load(const fs::path& dir,
                                                 const CovisitationOptions& options) {
  const fs::path path = dir / "covisitation.safetensors";
  const artifact::SafetensorsFile file(path);
  auto model = std::make_unique<Covisitation>();
  model->options_ = options;
  const auto begin = file.get<int64_t>("begin");
  const auto partner = file.get<uint32_t>("partner");
  const auto near = file.get<float>("near"), next = file.get<float>("next");
  const auto popularity = file.get<float>("popularity");
  check_rows(begin, partner, popularity.size(), path);
  artifact::check_sound(near.size() == partner.size() && next.size() == partner.size() &&
                            artifact::all_finite(near) && artifact::all_finite(next) &&
                            artifact::all_finite(popularity),
                        "the counts of co-visitation", path);
  model->begin_.assign(begin.begin(), begin.end());
  model->partner_.assign(partner.begin(), partner.end());
  model->near_.assign(near.begin(), near.end());
  model->next_.assign(next.begin(), next.end());
  model->popularity_.assign(popularity.begin(), popularity.end());
  model->weigh();
  return model;
}

}  // namespace podium::retrieval
