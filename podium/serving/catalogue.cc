#include "podium/serving/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/kernels/kernels.h"
#include "podium/serving/history.h"

namespace podium::serving {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

bool holds(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return part.empty() ||
         std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

// Rows [n, dim], turned so that the first two coordinates are their principal components.
class Plane {
 public:
  Plane(const std::vector<std::span<const float>>& rows, size_t dim) : mean_(dim) {
    for (const auto row : rows)
      kernels::axpy(1.0f / float(rows.size()), row.data(), mean_.data(), dim);
    for (auto& axis : axes_) axis = principal(rows, dim);
  }
  // [2]
  std::array<float, 2> place(std::span<const float> row) const {
    std::array<float, 2> xy{};
    for (size_t a = 0; a < 2; ++a) {
      xy[a] = kernels::dot(axes_[a].data(), row.data(), row.size()) -
              kernels::dot(axes_[a].data(), mean_.data(), row.size());
    }
    return xy;
  }

 private:
  // By power iteration, at right angles to the axes before it.
  std::vector<float> principal(const std::vector<std::span<const float>>& rows, size_t dim) const {
    Rng rng(1);
    std::vector<float> axis(dim);
    for (float& value : axis) value = float(rng.normal());
    for (int round = 0; round < 12; ++round) {
      normalise(axis);
      const float at_mean = kernels::dot(axis.data(), mean_.data(), dim);
      std::vector<float> next(dim);
      for (const auto row : rows) {
        const float along = kernels::dot(axis.data(), row.data(), dim) - at_mean;
        kernels::axpy(along, row.data(), next.data(), dim);
        kernels::axpy(-along, mean_.data(), next.data(), dim);
      }
      axis.swap(next);
    }
    normalise(axis);
    return axis;
  }

  void normalise(std::vector<float>& axis) const {
    for (const std::vector<float>& before : axes_) {
      if (before.empty()) continue;
      const float along = kernels::dot(axis.data(), before.data(), axis.size());
      kernels::axpy(-along, before.data(), axis.data(), axis.size());
    }
    const float norm = std::sqrt(kernels::dot(axis.data(), axis.data(), axis.size()));
    for (float& value : axis) value = norm > 0 ? value / norm : 0;
  }

  std::vector<float> mean_;
  std::array<std::vector<float>, 2> axes_;
};

}  // namespace

data::ItemIndex Catalogue::index_of(std::string_view id) const {
  if (const auto item = find_item(bundle_, *added_, id)) return *item;
  throw Error(ErrorKind::kNotFound, fmt::format("no item '{}'", id), "check the id");
}

std::span<const float> Catalogue::vector_of(data::ItemIndex item) const {
  if (item >= bundle_.dataset().items())
    return added_->features()[item - bundle_.dataset().items()]->vector;
  return bundle_.upstream().sources().content->vector(item);
}

std::vector<uint16_t> Catalogue::codes_of(data::ItemIndex item) const {
  if (item >= bundle_.dataset().items()) return added_->name(item).codes;
  const auto codes = bundle_.sids().table.of(item);
  return {codes.begin(), codes.end()};
}

Neighbour Catalogue::tell(data::ItemIndex item, float score) const {
  const data::Dataset& dataset = bundle_.dataset();
  if (item < dataset.items()) {
    return {std::string(dataset.item_id(item)), std::string(dataset.title(item)), score};
  }
  const LiveItem& facts = added_->facts(item);
  return {facts.id, facts.title, score};
}

std::optional<ItemStory> Catalogue::find(std::string_view id) const {
  const auto item = find_item(bundle_, *added_, id);
  if (!item) return std::nullopt;
  const data::Dataset& dataset = bundle_.dataset();
  ItemStory story{.facts = {}, .live = *item >= dataset.items(), .semantic_id = codes_of(*item)};
  if (story.live) {
    story.facts = added_->facts(*item);
    return story;
  }
  story.events = bundle_.upstream().sources().popularity->count(*item);
  story.facts = {.id = std::string(dataset.item_id(*item)),
                 .title = std::string(dataset.title(*item)),
                 .brand = std::string(dataset.brand(*item)),
                 .description = std::string(dataset.description(*item)),
                 .categories = {},
                 .price = dataset.price(*item)};
  for (const auto category : dataset.categories(*item)) {
    story.facts.categories.emplace_back(category);
  }
  return story;
}

bool Catalogue::knows(std::string_view id) const {
  return find_item(bundle_, *added_, id).has_value();
}

std::span<const float> Catalogue::vector(std::string_view id) const {
  const auto item = find_item(bundle_, *added_, id);
  return item ? vector_of(*item) : std::span<const float>();
}

std::string Catalogue::title(std::string_view id) const {
  const auto item = find_item(bundle_, *added_, id);
  return item ? tell(*item, 0).title : "";
}

std::vector<Neighbour> Catalogue::similar(std::string_view id, size_t k) const {
  const data::ItemIndex item = index_of(id);
  std::vector<Neighbour> found;
  if (item < bundle_.dataset().items()) {
    const retrieval::Query query{.history = {&item, 1}, .times = {}};
    for (const auto& [other, score] :
         bundle_.upstream().sources().covisitation->retrieve(query, k)) {
      found.push_back(tell(other, score));
    }
  }
  for (Neighbour& other : by_text(id, k)) {
    if (found.size() == k) break;
    const bool known = std::ranges::any_of(found, [&](auto& one) { return one.id == other.id; });
    if (!known) found.push_back(std::move(other));
  }
  return found;
}

std::vector<Neighbour> Catalogue::by_text(std::string_view id, size_t k) const {
  const data::ItemIndex item = index_of(id);
  const bool live = item >= bundle_.dataset().items();
  retrieval::Query query{.history = {}, .times = {}, .added = added_->features()};
  (live ? query.added_seen : query.history) = {&item, 1};
  std::vector<Neighbour> found;
  for (const auto& [other, score] :
       bundle_.upstream().sources().content->nearest(vector_of(item), query, k)) {
    found.push_back(tell(other, score));
  }
  return found;
}

std::vector<PrefixNeighbour> Catalogue::same_prefix(std::string_view id, size_t most) const {
  const data::ItemIndex item = index_of(id);
  const std::vector<uint16_t> codes = codes_of(item);
  const sid::SidTable& table = bundle_.sids().table;
  std::vector<std::pair<size_t, data::ItemIndex>> found;  // codes in common
  for (data::ItemIndex other = 0; other < bundle_.dataset().items(); ++other) {
    if (other == item) continue;
    const auto theirs = table.of(other);
    const auto common = size_t(std::ranges::mismatch(codes, theirs).in1 - codes.begin());
    if (common > 0) found.emplace_back(common, other);
  }
  std::ranges::stable_sort(found, std::ranges::greater(), [](auto& pair) { return pair.first; });
  found.resize(std::min(most, found.size()));
  std::vector<PrefixNeighbour> told;
  for (const auto& [common, other] : found) {
    Neighbour neighbour = tell(other, 0);
    told.push_back({std::move(neighbour.id), std::move(neighbour.title), codes_of(other), common});
  }
  return told;
}

std::vector<Neighbour> Catalogue::search(std::string_view text, size_t most) const {
  std::vector<Neighbour> found;
  const size_t trained = bundle_.dataset().items();
  const auto look = [&](data::ItemIndex item, std::string_view id, std::string_view title) {
    if (found.size() < most && (holds(id, text) || holds(title, text)))
      found.push_back(tell(item, 0));
  };
  for (size_t i = 0; i < added_->size(); ++i) {
    const auto item = data::ItemIndex(trained + i);
    look(item, added_->facts(item).id, added_->facts(item).title);
  }
  for (data::ItemIndex item = 0; item < trained && found.size() < most; ++item) {
    look(item, bundle_.dataset().item_id(item), bundle_.dataset().title(item));
  }
  return found;
}

std::vector<MapPlace> Catalogue::map(size_t most) const {
  const auto& content = *bundle_.upstream().sources().content;
  const size_t items = bundle_.dataset().items();
  const size_t step = most == 0 ? items + 1 : (items + most - 1) / most;
  std::vector<data::ItemIndex> taken;
  std::vector<std::span<const float>> rows;
  for (size_t item = 0; item < items; item += std::max<size_t>(1, step)) {
    const auto row = content.vector(data::ItemIndex(item));
    if (kernels::dot(row.data(), row.data(), row.size()) == 0) continue;  // without text
    taken.push_back(data::ItemIndex(item));
    rows.push_back(row);
  }
  if (rows.empty()) return {};
  const Plane plane(rows, content.dim());
  std::vector<MapPlace> places;
  for (size_t i = 0; i < taken.size(); ++i) {
    const auto [x, y] = plane.place(rows[i]);
    Neighbour told = tell(taken[i], 0);
    places.push_back({std::move(told.id), std::move(told.title), x, y, codes_of(taken[i])});
  }
  return places;
}

}  // namespace podium::serving
