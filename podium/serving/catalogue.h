// What a bundle, and the items that came after its training, tell of items: facts, neighbours, and
// a map. For people who look: some of it reads the whole catalogue.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podium/serving/added_items.h"
#include "podium/serving/bundle.h"

namespace podium::serving {

struct ItemStory {
  LiveItem facts;
  bool live = false;    // it came after training
  uint32_t events = 0;  // in training
  std::vector<uint16_t> semantic_id;
};

struct Neighbour {
  std::string id, title;
  float score = 0;
};

struct PrefixNeighbour {
  std::string id, title;
  std::vector<uint16_t> semantic_id;
  size_t common = 0;  // codes of the semantic ID that are the same, from the first on
};

struct MapPlace {
  std::string id, title;
  float x = 0, y = 0;  // the text vector's first two principal components
  std::vector<uint16_t> semantic_id;
};

// Immutable and thread-safe. The bundle must outlive it.
class Catalogue {
 public:
  Catalogue(const Bundle& bundle, std::shared_ptr<const AddedItems> added)
      : bundle_(bundle), added_(std::move(added)) {}

  std::optional<ItemStory> find(std::string_view id) const;
  bool knows(std::string_view id) const;
  std::string title(std::string_view id) const;  // empty where there is none
  // [dim], unit length, of the text; empty where podium knows nothing of the item.
  std::span<const float> vector(std::string_view id) const;
  size_t trained_items() const { return bundle_.dataset().items(); }
  std::string_view trained_id(size_t i) const {
    return bundle_.dataset().item_id(data::ItemIndex(i));
  }
  // Those that came after training, in order of id.
  size_t added_items() const { return added_->size(); }
  const LiveItem& added(size_t i) const {
    return added_->facts(data::ItemIndex(trained_items() + i));
  }
  size_t added_after(std::string_view id) const { return added_->after(id); }  // the first of them
  // Both throw Error (kNotFound) when there is no such item. similar: those that people took near
  // it, then those whose text is like its own. by_text: cosines, of the latter only.
  std::vector<Neighbour> similar(std::string_view id, size_t k) const;
  std::vector<Neighbour> by_text(std::string_view id, size_t k) const;
  // Trained items whose semantic IDs begin as this one's does, the longest beginnings first.
  std::vector<PrefixNeighbour> same_prefix(std::string_view id, size_t most) const;
  // Whose title or id holds the text, ASCII letters of either case; those added first.
  std::vector<Neighbour> search(std::string_view text, size_t most) const;
  // Trained items with text, evenly taken where there are more than `most`.
  std::vector<MapPlace> map(size_t most) const;

 private:
  data::ItemIndex index_of(std::string_view id) const;
  Neighbour tell(data::ItemIndex item, float score) const;
  std::span<const float> vector_of(data::ItemIndex item) const;
  std::vector<uint16_t> codes_of(data::ItemIndex item) const;

  const Bundle& bundle_;
  std::shared_ptr<const AddedItems> added_;
};

}  // namespace podium::serving
