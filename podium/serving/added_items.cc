#include "podium/serving/added_items.h"

#include "podium/sid/place.h"

namespace podium::serving {

AddedItems::AddedItems(const Bundle& bundle, std::span<const LiveItem> items,
                       const AddedItems* before)
    : first_(data::ItemIndex(bundle.dataset().items())) {
  std::vector<std::vector<uint16_t>> given;
  if (before) {
    for (const auto& entry : before->entries_) given.push_back(entry->codes);
  }
  for (const LiveItem& item : items) {
    if (bundle.dataset().find_item(item.id)) continue;
    std::shared_ptr<const Entry> entry;
    if (const auto known = before ? before->find(item.id) : std::nullopt) {
      entry = before->entries_[*known - first_];
    }
    if (!entry || entry->facts != item) {
      auto made = std::make_shared<Entry>();
      made->facts = item;
      made->features = {bundle.embed(item.text()), item.brand, item.categories, item.price};
      if (const auto& sasrec = bundle.upstream().sources().sasrec) {
        made->features.sequence = sasrec->vector_of(made->features.vector);
      }
      made->codes = sid::place(bundle.sids(), made->features.vector, given);
      given.push_back(made->codes);
      entry = std::move(made);
    }
    number_.emplace(entry->facts.id, entries_.size());
    features_.push_back(&entry->features);
    entries_.push_back(std::move(entry));
  }
}

std::optional<data::ItemIndex> AddedItems::find(std::string_view id) const {
  const auto found = number_.find(id);
  if (found == number_.end()) return std::nullopt;
  return first_ + data::ItemIndex(found->second);
}

rerank::AddedItemName AddedItems::name(data::ItemIndex item) const {
  const Entry& e = entry(item);
  return {item, e.codes, e.features.vector, e.facts.title.empty() ? e.facts.id : e.facts.title};
}

}  // namespace podium::serving
