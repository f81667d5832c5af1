// Items with few events, by their words: those whose text is like that of one of the newest items
// of the history. Other sources see such an item seldom or never, and those that do rank it after
// better known ones.
#pragma once

#include "podium/kernels/packed_matrix.h"
#include "podium/retrieval/content.h"
#include "podium/retrieval/popularity.h"

namespace podium::retrieval {

class NewItems : public Retriever {
 public:
  static constexpr std::string_view kName = "new-items";
  static constexpr uint32_t kKnownFrom = 5;  // events; with fewer an item is new
  static constexpr size_t kNewest = 10;      // items of the history

  // Both must outlive it.
  NewItems(const Content& content, const Popularity& popularity);

  std::string_view name() const override { return kName; }
  // Scores: the largest cosine with one of the newest items. Items that came after training are
  // new.
  std::vector<Scored> retrieve(const Query& query, size_t n) const override;
  bool reads_time() const override { return false; }
  void save(const fs::path&) const override {}  // follows from the two

 private:
  const Content& content_;
  std::vector<ItemIndex> items_;   // the new ones
  kernels::PackedMatrix vectors_;  // [items_, dim]; empty without any
};

}  // namespace podium::retrieval
