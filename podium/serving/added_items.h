// Items that came after training, as one bundle's models see them: text to vector by the bundle's
// encoder, vector to semantic ID by its frozen codebooks.
//
// Which stage knows them: `content` finds them, and SASRec where it reads text; the ranker and the
// evidence know what the catalogue tells (text, brand, categories, price) and take them for items
// without events; the policy reads their semantic IDs as any other item's. In a history they are
// shown to the policy, and not to sources and ranker.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "podium/rerank/slate.h"
#include "podium/retrieval/retriever.h"
#include "podium/serving/bundle.h"
#include "podium/serving/live_state.h"

namespace podium::serving {

// Immutable: a change makes a new one, and requests under way keep theirs. Item number i of them is
// ItemIndex dataset.items() + i for the time of a request.
class AddedItems {
 public:
  // Those that the bundle does not know itself; what `before` has of the same facts is taken over.
  AddedItems(const Bundle& bundle, std::span<const LiveItem> items,
             const AddedItems* before = nullptr);
  // These, and of `more` those that neither they nor the bundle know.
  std::shared_ptr<const AddedItems> with(const Bundle& bundle,
                                         std::span<const LiveItem> more) const;

  std::optional<data::ItemIndex> find(std::string_view id) const;
  const LiveItem& facts(data::ItemIndex item) const { return entry(item).facts; }
  // What a prompt shows, and a trace tells: the id where there is no title.
  rerank::AddedItemName name(data::ItemIndex item) const;
  std::span<const retrieval::AddedItem* const> features() const { return features_; }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    LiveItem facts;
    retrieval::AddedItem features;
    std::vector<uint16_t> codes;
  };
  explicit AddedItems(data::ItemIndex first) : first_(first) {}
  void add(std::shared_ptr<const Entry> entry);
  static std::shared_ptr<const Entry> made(const Bundle& bundle, const LiveItem& item,
                                           std::vector<std::vector<uint16_t>>& given);
  std::vector<std::vector<uint16_t>> codes() const;
  const Entry& entry(data::ItemIndex item) const { return *entries_.at(item - first_); }

  data::ItemIndex first_;
  std::vector<std::shared_ptr<const Entry>> entries_;
  std::vector<const retrieval::AddedItem*> features_;
  std::unordered_map<std::string_view, size_t> number_;  // by id, which the entries back
};

}  // namespace podium::serving
