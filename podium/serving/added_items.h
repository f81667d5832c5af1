// Items that came after training, as one bundle's models see them: text to vector by the bundle's
// encoder, vector to semantic ID by its frozen codebooks.
//
// Which stage knows them: `content` finds them, and SASRec where it reads text; the ranker and the
// evidence know what the catalogue tells (text, brand, categories, price) and take them for items
// without events; the policy reads their semantic IDs as any other item's. In a history they are
// shown to the policy, and not to sources and ranker.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/rerank/slate.h"
#include "podium/retrieval/retriever.h"
#include "podium/serving/bundle.h"
#include "podium/serving/live_state.h"

namespace podium::serving {

// Immutable: a change makes a new one, and requests under way keep theirs. Sorted by id, in blocks
// that a change shares with the one before but for those that it touches. Item number i of them is
// ItemIndex dataset.items() + i for the time of a request.
class AddedItems {
 public:
  explicit AddedItems(const Bundle& bundle);  // none

  // Each makes another. Of items that the bundle knows itself nothing is taken; what is there with
  // the same facts, or the same text, is not encoded again.
  using Shared = std::shared_ptr<const AddedItems>;
  Shared put(std::span<const LiveItem> items) const;  // they replace those of the same id
  Shared without(std::string_view id) const;
  Shared all_of(std::span<const LiveItem> items) const;  // these and no others
  // For the time of a request: of `more` those that neither these nor the bundle know.
  Shared with(std::span<const LiveItem> more) const;

  std::optional<data::ItemIndex> find(std::string_view id) const;
  const LiveItem& facts(data::ItemIndex item) const { return entry(item).facts; }
  // What a prompt shows, and a trace tells: the id where there is no title.
  rerank::AddedItemName name(data::ItemIndex item) const;
  std::span<const retrieval::AddedItem* const> features() const { return entries_; }
  size_t size() const { return entries_.size(); }
  // Whether nothing lies between the two, one of which came from the other.
  bool same_as(const AddedItems& other) const { return blocks_ == other.blocks_; }
  // Of those that come after the id, the first; size() where there is none.
  size_t after(std::string_view id) const;

 private:
  struct Entry : retrieval::AddedItem {
    LiveItem facts;
    std::vector<uint16_t> codes;
  };
  using Block = std::vector<std::shared_ptr<const Entry>>;
  using Changes = std::map<std::string_view, std::shared_ptr<const Entry>>;  // null: it goes
  struct Taken;

  AddedItems(const Bundle& bundle, std::shared_ptr<Taken> taken)
      : bundle_(bundle), taken_(std::move(taken)) {}
  Shared changed(const Changes& changes) const;
  static Block merged(const Block& block, Changes::const_iterator change,
                      Changes::const_iterator end);
  void append(Block block);
  std::shared_ptr<const Entry> made(const LiveItem& item, const Entry* before) const;
  std::optional<size_t> number_of(std::string_view id) const;
  const Entry* known(std::string_view id) const;
  const Entry& at(size_t i) const { return static_cast<const Entry&>(*entries_[i]); }
  const Entry& entry(data::ItemIndex item) const;

  const Bundle& bundle_;
  std::shared_ptr<Taken> taken_;
  std::vector<std::shared_ptr<const Block>> blocks_;  // none is empty
  std::vector<const retrieval::AddedItem*> entries_;  // all of the blocks, one after another
};

}  // namespace podium::serving
