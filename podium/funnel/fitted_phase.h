// A phase of a split with the sources that know no more than it may, and its targets' candidates.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "podium/data/split.h"
#include "podium/funnel/upstream_inputs.h"

namespace podium::funnel {

// One target's candidates: what the sources found and after it what else its given list names, or
// the slate that the user was shown.
struct Candidates {
  retrieval::Query query;
  Described described;
  std::vector<uint8_t> gains;  // [candidates], 1 where the user chose it
  std::vector<size_t> listed;  // places of the given list's items, best first
  bool holds_positive() const;
};

class FittedPhase {
 public:
  // content: of the inputs' item vectors. The inputs must outlive it. Throws Error where lists are
  // asked for that are not those of the phase's targets.
  FittedPhase(const UpstreamInputs& in, const data::Phase& phase, const PhaseInputs& own,
              std::shared_ptr<const retrieval::Content> content);

  const data::Phase& phase() const { return phase_; }
  const ranking::Features& features() const { return features_; }
  const retrieval::Sources& sources() const { return sources_; }
  retrieval::Sources take_sources() { return std::move(sources_); }
  bool shown() const { return phase_.impressions != nullptr; }  // slates, not events

  Candidates candidates(size_t target) const;
  // scores [candidates]: the ranker's; not read where the order is another.
  Arrangement arrange(const Candidates& candidates, std::span<const float> scores) const;

 private:
  bool generative() const { return in_.options.order == kGenerativeOrder; }
  void add_list(std::span<const data::ItemIndex> items, Candidates& candidates) const;

  const UpstreamInputs& in_;
  const data::Phase& phase_;
  const PhaseInputs& own_;
  retrieval::Sources sources_;
  ranking::Features features_;
};

}  // namespace podium::funnel
