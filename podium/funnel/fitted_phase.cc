#include "podium/funnel/fitted_phase.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/funnel/source_lists.h"

namespace podium::funnel {

bool Candidates::holds_positive() const {
  return std::ranges::any_of(gains, [](uint8_t gain) { return gain > 0; });
}

FittedPhase::FittedPhase(const UpstreamInputs& in, const data::Phase& phase, const PhaseInputs& own,
                         std::shared_ptr<const retrieval::Content> content)
    : in_(in),
      phase_(phase),
      own_(own),
      sources_(retrieval::fit_sources({&phase.fit, std::move(content), own.sasrec, own.hstu},
                                      in.options.sources)),
      features_(*in.dataset, sources_) {
  if (!generative() || own.lists.size() == phase.targets.size()) return;
  throw Error(fmt::format("phase {} has {} targets, and {} lists of the policy's beam search",
                          phase.name, phase.targets.size(), own.lists.size()),
              "run the beam stage again");
}

Candidates FittedPhase::candidates(size_t target) const {
  const auto& [user, position] = phase_.targets[target];
  Candidates c;
  c.query = {in_.dataset->items_of(user).first(position),
             in_.dataset->times_of(user).first(position), phase_.time(target)};
  if (shown()) {
    const auto items = phase_.impressions->slate(phase_.shown[target]).items;
    c.described.candidates = SourceLists(sources_, c.query, in_.options.blend).of(items);
  } else {
    c.described.candidates = retrieval::blend(sources_, c.query, in_.options.blend);
  }
  if (generative()) add_list(own_.lists[target], c);
  c.described.rows.resize(c.described.candidates.size() * features_.count());
  features_.compute(c.query, c.described.candidates, c.described.rows.data());
  const auto answers = phase_.answers(target);
  for (const retrieval::Blended& candidate : c.described.candidates) {
    c.gains.push_back(std::ranges::count(answers, candidate.item) > 0 ? 1 : 0);
  }
  return c;
}

void FittedPhase::add_list(std::span<const data::ItemIndex> items, Candidates& c) const {
  std::vector<retrieval::Blended>& all = c.described.candidates;
  const size_t sources = sources_.all().size();
  for (const data::ItemIndex item : items) {
    auto place = std::ranges::find(all, item, &retrieval::Blended::item);
    if (place == all.end()) {
      place = all.insert(
          place, {item, std::vector<float>(sources, std::nanf("")), std::vector<int>(sources, -1)});
    }
    c.listed.push_back(size_t(place - all.begin()));
  }
}

Arrangement FittedPhase::arrange(const Candidates& c, std::span<const float> scores) const {
  if (generative()) return arrange_listed(c.listed);
  return shown() ? arrange_given(in_.options.order, features_, c.described, scores)
                 : arrange_found(in_.options.order, size_t(in_.options.new_places), sources_,
                                 c.described, scores);
}

}  // namespace podium::funnel
