// Popularity with recency decay: every event of the view weighs 2^(-age / half_life), age measured
// from the view's newest event.
#pragma once

#include "podium/data/split.h"
#include "podium/retrieval/retriever.h"

namespace podium::retrieval {

class Popularity : public Retriever {
 public:
  // half_life_days <= 0: plain counts.
  static std::unique_ptr<Popularity> fit(const data::View& view, double half_life_days);
  static std::unique_ptr<Popularity> load(const fs::path& dir);

  std::string_view name() const override { return "popularity"; }
  std::vector<Scored> retrieve(const Query& query, size_t n) const override;
  bool reads_time() const override { return false; }
  void save(const fs::path& dir) const override;

  float recent(ItemIndex item) const { return score_[item]; }      // decayed count
  uint32_t count(ItemIndex item) const { return count_[item]; }    // events in the view
  int64_t last_time(ItemIndex item) const { return last_[item]; }  // 0: no event
  size_t items() const { return score_.size(); }

 private:
  void sort();

  std::vector<float> score_;      // [items]
  std::vector<uint32_t> count_;   // [items]
  std::vector<int64_t> last_;     // [items], unix seconds of the newest event
  std::vector<ItemIndex> order_;  // best first
};

}  // namespace podium::retrieval
