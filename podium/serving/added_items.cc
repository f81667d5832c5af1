#include "podium/serving/added_items.h"

#include <algorithm>
#include <unordered_set>

#include "podium/base/mutex.h"
#include "podium/sid/place.h"

namespace podium::serving {
namespace {

constexpr size_t kBlock = 512;  // entries

}  // namespace

// The semantic IDs that are taken, of the newest of all that came one from another.
struct AddedItems::Taken {
  explicit Taken(const Bundle& bundle) : model(bundle.sids()) {}

  // Of a vector one by itself, which is taken from now on.
  std::vector<uint16_t> take(std::span<const float> vector) {
    const MutexLock lock(mutex);
    if (!sids) sids.emplace(model.table);
    auto codes = sid::place(model, vector, *sids);
    sids->add(codes);
    return codes;
  }
  void give_back(const std::vector<uint16_t>& codes) {
    const MutexLock lock(mutex);
    sids->remove(codes);
  }

  const sid::SidModel& model;
  Mutex mutex;
  std::optional<sid::TakenSids> sids PODIUM_GUARDED_BY(mutex);  // read when first asked
};

AddedItems::AddedItems(const Bundle& bundle)
    : AddedItems(bundle, std::make_shared<Taken>(bundle)) {}

AddedItems::Shared AddedItems::put(std::span<const LiveItem> items) const {
  std::map<std::string_view, const LiveItem*> wanted;
  for (const LiveItem& item : items) {
    if (!bundle_.dataset().find_item(item.id)) wanted[item.id] = &item;
  }
  Changes changes;
  for (const auto& [id, item] : wanted) {
    const Entry* const before = known(id);
    if (before && before->facts == *item) continue;
    auto entry = made(*item, before);
    const std::string_view key = entry->facts.id;
    changes.emplace(key, std::move(entry));
  }
  return changed(changes);
}

AddedItems::Shared AddedItems::without(std::string_view id) const {
  if (const Entry* before = known(id)) taken_->give_back(before->codes);
  return changed({{id, nullptr}});
}

AddedItems::Shared AddedItems::all_of(std::span<const LiveItem> items) const {
  std::unordered_set<std::string_view> wanted;
  for (const LiveItem& item : items) wanted.insert(item.id);
  Changes gone;
  for (size_t i = 0; i < size(); ++i) {
    if (wanted.contains(at(i).facts.id)) continue;
    taken_->give_back(at(i).codes);
    gone.emplace(at(i).facts.id, nullptr);
  }
  return changed(gone)->put(items);
}

AddedItems::Shared AddedItems::with(std::span<const LiveItem> more) const {
  std::vector<LiveItem> unknown;
  std::unordered_set<std::string_view> told;
  for (const LiveItem& item : more) {
    if (!known(item.id) && told.insert(item.id).second) unknown.push_back(item);
  }
  Shared all = put(unknown);
  for (const LiveItem& item : unknown) {
    if (const Entry* entry = all->known(item.id)) taken_->give_back(entry->codes);
  }
  return all;
}

AddedItems::Shared AddedItems::changed(const Changes& changes) const {
  const std::shared_ptr<AddedItems> next(new AddedItems(bundle_, taken_));
  auto change = changes.begin();
  for (size_t b = 0; b < blocks_.size(); ++b) {
    const auto from = change;
    while (change != changes.end() &&
           (b + 1 == blocks_.size() || change->first < blocks_[b + 1]->front()->facts.id)) {
      ++change;
    }
    if (from == change) {
      next->blocks_.push_back(blocks_[b]);
    } else {
      next->append(merged(*blocks_[b], from, change));
    }
  }
  next->append(merged({}, change, changes.end()));
  for (const auto& block : next->blocks_) {
    for (const auto& entry : *block) next->entries_.push_back(entry.get());
  }
  return next;
}

// By id; a change takes the place of what the block has of its id.
AddedItems::Block AddedItems::merged(const Block& block, Changes::const_iterator change,
                                     Changes::const_iterator end) {
  Block all;
  auto old = block.begin();
  for (; change != end; ++change) {
    while (old != block.end() && (*old)->facts.id < change->first) all.push_back(*old++);
    if (old != block.end() && (*old)->facts.id == change->first) ++old;
    if (change->second) all.push_back(change->second);
  }
  all.insert(all.end(), old, block.end());
  return all;
}

// In blocks of about the same size.
void AddedItems::append(Block block) {
  const size_t pieces = (block.size() + kBlock - 1) / kBlock;
  for (size_t p = 0; p < pieces; ++p) {
    const auto at = [&](size_t piece) {
      return block.begin() + std::ptrdiff_t(piece * block.size() / pieces);
    };
    blocks_.push_back(std::make_shared<const Block>(at(p), at(p + 1)));
  }
}

// before: what it was, or null.
std::shared_ptr<const AddedItems::Entry> AddedItems::made(const LiveItem& item,
                                                          const Entry* before) const {
  auto entry = std::make_shared<Entry>();
  entry->facts = item;
  entry->brand = item.brand;
  entry->categories = item.categories;
  entry->price = item.price;
  if (before && before->facts.text() == item.text()) {
    entry->vector = before->vector;
    entry->sequence = before->sequence;
    entry->codes = before->codes;
    return entry;
  }
  entry->vector = bundle_.embed(item.text());
  if (const auto& sasrec = bundle_.upstream().sources().sasrec) {
    entry->sequence = sasrec->vector_of(entry->vector);
  }
  if (before) taken_->give_back(before->codes);
  entry->codes = taken_->take(entry->vector);
  return entry;
}

size_t AddedItems::after(std::string_view id) const {
  const auto id_of = [](const retrieval::AddedItem* item) -> std::string_view {
    return static_cast<const Entry*>(item)->facts.id;
  };
  const auto found = std::ranges::upper_bound(entries_, id, std::ranges::less(), id_of);
  return size_t(found - entries_.begin());
}

// Where the id is, or else nothing: number after(id) - 1 is the last that is not after it.
std::optional<size_t> AddedItems::number_of(std::string_view id) const {
  const size_t next = after(id);
  if (next == 0 || at(next - 1).facts.id != id) return std::nullopt;
  return next - 1;
}

const AddedItems::Entry* AddedItems::known(std::string_view id) const {
  const auto number = number_of(id);
  return number ? &at(*number) : nullptr;
}

std::optional<data::ItemIndex> AddedItems::find(std::string_view id) const {
  const auto number = number_of(id);
  if (!number) return std::nullopt;
  return data::ItemIndex(bundle_.dataset().items() + *number);
}

const AddedItems::Entry& AddedItems::entry(data::ItemIndex item) const {
  return static_cast<const Entry&>(*entries_.at(item - bundle_.dataset().items()));
}

rerank::AddedItemName AddedItems::name(data::ItemIndex item) const {
  const Entry& e = entry(item);
  return {item, e.codes, e.vector, e.facts.title.empty() ? e.facts.id : e.facts.title};
}

}  // namespace podium::serving
