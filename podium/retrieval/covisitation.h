// Item-to-item co-visitation: items that stand within `window` places of one another in users'
// sequences. The baseline of docs/results.md, and the ranker's strongest evidence.
#pragma once

#include <array>

#include "podium/base/option_range.h"
#include "podium/data/split.h"
#include "podium/retrieval/retriever.h"

namespace podium::retrieval {

struct CovisitationOptions {
  int window = 5;               // places apart, both directions
  double backward = 0.5;        // weight of a pair read against the order of time
  int last = 10;                // history items that speak
  double decay = 0.5;           // weight of the item i places back: decay^i
  double popularity_power = 0;  // counts are divided by popularity^power of the candidate
  template <class V>
  void visit(V& v) {
    v("window", window, "co-visitation: places apart in a sequence", between(1, 1000));
    v("backward", backward, "co-visitation: weight of pairs read against the order of time",
      between(0, 1000));
    v("last", last, "co-visitation: newest history items that speak", between(1, 100000));
    v("decay", decay, "co-visitation: weight kept with each place back in the history",
      between(0, 1));
    v("popularity_power", popularity_power, "co-visitation: counts over popularity^power",
      between(0, 10));
  }
};

class Covisitation : public Retriever {
 public:
  static std::unique_ptr<Covisitation> fit(const data::View& view,
                                           const CovisitationOptions& options);
  static std::unique_ptr<Covisitation> load(const fs::path& dir,
                                            const CovisitationOptions& options);

  std::string_view name() const override { return "item-to-item"; }
  std::vector<Scored> retrieve(const Query& query, size_t n) const override;
  bool reads_time() const override { return false; }
  void save(const fs::path& dir) const override;

  // Sum over the times b stood at most `window` places from a: 1 / places apart where b came after
  // a, `backward` / places apart where it came before.
  float near(ItemIndex a, ItemIndex b) const;
  // Times b followed a directly.
  float next(ItemIndex a, ItemIndex b) const;
  size_t items() const { return popularity_.size(); }
  // near / sqrt(popularity of a * popularity of b)
  float affinity(ItemIndex a, ItemIndex b) const;

 private:
  // Row a: partners b in ascending order with their counts.
  std::vector<int64_t> begin_;  // [items + 1]
  std::vector<ItemIndex> partner_;
  std::vector<float> near_, next_;
  std::vector<float> popularity_;  // [items], events
  std::vector<float> weight_;      // [items], popularity^-power
  CovisitationOptions options_;

  void weigh();
  size_t find(ItemIndex a, ItemIndex b) const;  // partner_.size() if they never met
};

}  // namespace podium::retrieval
