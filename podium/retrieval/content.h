// Content kNN: items whose text is like the mean of the newest history. Finds items without
// events too, those added after training among them.
#pragma once

#include "podium/retrieval/vector_index.h"

namespace podium::retrieval {

class Content : public Retriever {
 public:
  // vectors: unit rows [items, dim]. The newest `last` items of the history are averaged.
  Content(std::span<const float> vectors, size_t dim, int last = 5);
  static std::unique_ptr<Content> load(const fs::path& dir);

  std::string_view name() const override { return "content"; }
  std::vector<Scored> retrieve(const Query& query, size_t n) const override;
  bool reads_time() const override { return false; }
  void save(const fs::path& dir) const override;
  // The n best by cosine with a unit vector [dim], the query's added items among them.
  std::vector<Scored> nearest(std::span<const float> vector, const Query& query, size_t n) const;

  std::vector<float> mean(std::span<const ItemIndex> history) const;  // unit length, or zero
  float similarity(ItemIndex a, ItemIndex b) const;
  float similarity(std::span<const float> mean, ItemIndex item) const;
  float similarity(std::span<const float> a, std::span<const float> b) const;  // [dim] each
  std::span<const float> vectors() const { return index_.vectors(); }          // [items, dim]
  std::span<const float> vector(ItemIndex item) const { return index_.vector(item); }  // [dim]
  size_t dim() const { return index_.dim(); }

  size_t items() const { return index_.items(); }

 private:
  Content(VectorIndex index, int last);

  VectorIndex index_;
  int last_;
};

}  // namespace podium::retrieval
