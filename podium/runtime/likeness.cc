#include "podium/runtime/likeness.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"

namespace podium::runtime {
namespace {

float dot(std::span<const float> a, std::span<const float> b) {
  return kernels::dot(a.data(), b.data(), a.size());
}

std::vector<float> cosines_of(const rerank::PromptContext& context, const rerank::Slate& slate) {
  const size_t k = slate.candidates.size();
  std::vector<float> cosine(k * k);
  if (context.text_width == 0) return cosine;
  std::vector<std::span<const float>> texts;
  std::vector<float> length;
  for (const rerank::SlateCandidate& candidate : slate.candidates) {
    texts.push_back(rerank::text_of(context, slate, candidate.item));
    length.push_back(std::sqrt(dot(texts.back(), texts.back())));
  }
  for (size_t i = 0; i < k; ++i) {
    for (size_t j = 0; j < i; ++j) {
      const float both = length[i] * length[j];
      const float value = both > 0 ? std::max(0.0F, dot(texts[i], texts[j]) / both) : 0;
      cosine[i * k + j] = cosine[j * k + i] = value;
    }
  }
  return cosine;
}

}  // namespace

Alike::Alike(const rerank::PromptContext& context, const rerank::Slate& slate)
    : candidates(slate.candidates.size()),
      cosine(cosines_of(context, slate)),
      categories(candidates) {
  if (context.dataset == nullptr) return;
  std::map<std::string_view, uint16_t> number;
  for (size_t i = 0; i < candidates; ++i) {
    const data::ItemIndex item = slate.candidates[i].item;
    if (item >= context.dataset->items()) continue;  // it came after training
    for (const std::string_view name : context.dataset->categories(item)) {
      categories[i].push_back(number.try_emplace(name, uint16_t(number.size())).first->second);
    }
  }
  names = number.size();
}

Likeness::Likeness(const Alike& alike)
    : alike_(&alike),
      nearest_(alike.candidates),
      sum_(alike.candidates),
      seen_(alike.names),
      best_seen_(alike.names) {}

void Likeness::follow(std::span<const int> order) {
  PODIUM_CHECK(order.size() >= stand_);
  while (stand_ < order.size()) put(size_t(order[stand_]));
}

void Likeness::put(size_t candidate) {
  const float* const row = &alike_->cosine[candidate * alike_->candidates];
  for (size_t i = 0; i < nearest_.size(); ++i) {
    nearest_[i] = std::max(nearest_[i], row[i]);
    sum_[i] += row[i];
  }
  const auto& own = alike_->categories[candidate];
  for (const uint16_t category : own) ++seen_[category];
  if (!own.empty()) ++best_seen_[own.back()];
  ++stand_;
}

std::array<float, rerank::kLikeness> Likeness::of(size_t candidate) const {
  if (stand_ == 0) return {};
  const auto& own = alike_->categories[candidate];
  const auto stand = std::ranges::count_if(own, [&](uint16_t c) { return seen_[c] > 0; });
  return {nearest_[candidate], sum_[candidate] / float(stand_),
          own.empty() ? 0 : float(stand) / float(own.size()),
          own.empty() ? 0 : float(best_seen_[own.back()])};
}

}  // namespace podium::runtime
