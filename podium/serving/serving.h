// A bundle opened for requests: retrieve -> rank -> re-rank, with the reasons. See funnel/bundle.h
// for the directory's layout.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/data/dataset.h"
#include "podium/funnel/upstream.h"
#include "podium/rerank/prompt.h"
#include "podium/runtime/scheduler.h"

namespace podium::serving {

struct ServedItem {
  data::ItemIndex item = 0;
  int upstream_rank = 0;  // from 0
  rerank::Evidence evidence{};
};

struct Served {
  std::vector<ServedItem> items;  // best first
  std::string explanation;        // the policy's trace, SIDs replaced by titles; empty without one
  bool valid = true;              // false: the policy's answer was no permutation of the slate, so
                                  // this is the upstream order
  bool late = false;  // cut short by the deadline: the names that the policy had chosen, then the
                      // others as it was about to rank them, or upstream's order
};

// Immutable but for the counter of invalid answers; thread-safe. Requests of several threads are
// answered in one batch.
class Serving {
 public:
  // Throws Error when the directory is no bundle, damaged, or newer than this program.
  static std::unique_ptr<Serving> open(const fs::path& bundle, int threads);
  ~Serving();
  Serving(const Serving&) = delete;

  const data::Dataset& dataset() const { return dataset_; }
  size_t slate_size() const { return slate_size_; }  // K

  // k items for a user's history: the first K in the policy's order, upstream's behind them. With
  // `explain` the reasoning policy answers, else the internalised one. k in 1..1000.
  Served recommend(const retrieval::Query& query, size_t k, bool explain) const;

  // Slates from elsewhere (histories and candidates filled in, 2..100 candidates each), in one
  // batch; their evidence is computed here. result[i] belongs to slates[i]. Past the deadline each
  // is answered as far as the policy got.
  std::vector<Served> rerank(
      std::vector<rerank::Slate> slates, bool with_trace,
      runtime::Clock::time_point deadline = runtime::Clock::time_point::max()) const;

  // A user of the dataset as of right after the last event.
  retrieval::Query query_of(data::UserIndex user) const;
  // A history without times, taken as of the dataset's last event. `times` is filled to back it.
  retrieval::Query query_of(std::span<const data::ItemIndex> history,
                            std::vector<int64_t>& times) const;

  // Answers that were not permutations, so far: the upstream order was served instead.
  uint64_t invalid_answers() const { return invalid_; }

 private:
  struct Policies;
  Serving(const fs::path& bundle, int threads);
  std::vector<Served> answer(const std::vector<rerank::Slate>& slates, bool with_trace,
                             runtime::Clock::time_point deadline) const;

  data::Dataset dataset_;
  std::unique_ptr<Policies> policies_;
  size_t slate_size_ = 10;
  int64_t latest_ = 0;  // time of the dataset's last event
  mutable std::atomic<uint64_t> invalid_{0};
};

// A slate's items in an answer's order; upstream's order, and not valid, when that is no
// permutation of the slate.
Served in_order(const rerank::Slate& slate, std::span<const int> order);

// A trace with every candidate name and SID of the slate's items replaced by the item's title (its
// id if it has none).
std::string readable_trace(std::string_view trace, const rerank::Slate& slate,
                           const data::Dataset& dataset, const sid::SidTable& sids);

}  // namespace podium::serving
