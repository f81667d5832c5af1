// HSTU as a candidate source: the state of the user's newest event, asked at the time of the
// request, and a search of the item vectors.
#pragma once

#include "podium/retrieval/vector_index.h"
#include "podium/sequence/hstu.h"

namespace podium::retrieval {

class Hstu : public Retriever {
 public:
  static constexpr std::string_view kName = "hstu";
  static constexpr const char* kFile = "hstu.safetensors";
  static constexpr const char* kGraph = "hstu-graph.safetensors";  // of large catalogues

  // Null where the phase has no such model.
  static std::unique_ptr<Hstu> fit(const SourceInputs& inputs);
  static std::unique_ptr<Hstu> load(const fs::path& dir);

  explicit Hstu(const fs::path& dir);  // holds kFile; throws Error if damaged

  std::string_view name() const override { return kName; }
  std::vector<Scored> retrieve(const Query& query, size_t n) const override;
  std::vector<float> scores(const Query& query, std::span<const ItemIndex> items) const override;
  void save(const fs::path& dir) const override;

 private:
  fs::path path_;
  sequence::Hstu model_;
  VectorIndex index_;
};

}  // namespace podium::retrieval
