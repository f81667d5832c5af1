#include "podium/serving/added_items.h"

#include "podium/sid/place.h"

namespace podium::serving {

AddedItems::AddedItems(const Bundle& bundle, std::span<const LiveItem> items,
                       const AddedItems* before)
    : AddedItems(data::ItemIndex(bundle.dataset().items())) {
  std::vector<std::vector<uint16_t>> given;
  if (before) given = before->codes();
  for (const LiveItem& item : items) {
    if (bundle.dataset().find_item(item.id)) continue;
    std::shared_ptr<const Entry> entry;
    if (const auto known = before ? before->find(item.id) : std::nullopt) {
      entry = before->entries_[*known - first_];
    }
    if (!entry || entry->facts != item) entry = made(bundle, item, given);
    add(std::move(entry));
  }
}

std::shared_ptr<const AddedItems> AddedItems::with(const Bundle& bundle,
                                                   std::span<const LiveItem> more) const {
  const std::shared_ptr<AddedItems> all(new AddedItems(first_));
  for (const auto& entry : entries_) all->add(entry);
  std::vector<std::vector<uint16_t>> given = codes();
  for (const LiveItem& item : more) {
    if (bundle.dataset().find_item(item.id) || all->find(item.id)) continue;
    all->add(made(bundle, item, given));
  }
  return all;
}

void AddedItems::add(std::shared_ptr<const Entry> entry) {
  number_.emplace(entry->facts.id, entries_.size());
  features_.push_back(&entry->features);
  entries_.push_back(std::move(entry));
}

// given: the semantic IDs that items have already; the new one's is put among them.
std::shared_ptr<const AddedItems::Entry> AddedItems::made(
    const Bundle& bundle, const LiveItem& item, std::vector<std::vector<uint16_t>>& given) {
  auto entry = std::make_shared<Entry>();
  entry->facts = item;
  entry->features = {bundle.embed(item.text()), item.brand, item.categories, item.price};
  if (const auto& sasrec = bundle.upstream().sources().sasrec) {
    entry->features.sequence = sasrec->vector_of(entry->features.vector);
  }
  entry->codes = sid::place(bundle.sids(), entry->features.vector, given);
  given.push_back(entry->codes);
  return entry;
}

std::vector<std::vector<uint16_t>> AddedItems::codes() const {
  std::vector<std::vector<uint16_t>> all;
  for (const auto& entry : entries_) all.push_back(entry->codes);
  return all;
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
