// The objects of Json: keys in their order of insertion, as in nlohmann::ordered_map, which
// searches all of them for each look-up; here a hash table finds them, so that a file of n keys is
// read in time proportional to n.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace podium {

// What basic_json asks of an object type. Not thread-safe while it changes; look-ups are.
template <class Key, class T, class Less = std::less<Key>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class JsonObject : public nlohmann::ordered_map<Key, T, Less, Allocator> {
  using Base = nlohmann::ordered_map<Key, T, Less, Allocator>;

 public:
  using typename Base::const_iterator;
  using typename Base::iterator;
  using typename Base::size_type;
  using typename Base::value_type;

  JsonObject() = default;
  template <class It>
  JsonObject(It first, It last) {
    for (; first != last; ++first) emplace(first->first, T(first->second));
  }

  template <class K>
  std::pair<iterator, bool> emplace(K&& key, T&& value) {
    const size_type at = place(key);
    if (at < this->size()) return {this->begin() + std::ptrdiff_t(at), false};
    Base::Container::emplace_back(std::forward<K>(key), std::move(value));
    index_last();
    return {std::prev(this->end()), true};
  }
  std::pair<iterator, bool> insert(const value_type& value) {
    return emplace(value.first, T(value.second));
  }
  template <class It>
  void insert(It first, It last) {
    for (; first != last; ++first) insert(*first);
  }

  template <class K>
  T& operator[](K&& key) {
    return emplace(std::forward<K>(key), T{}).first->second;
  }
  T& at(std::string_view key) { return this->begin()[std::ptrdiff_t(there(key))].second; }
  const T& at(std::string_view key) const {
    return this->begin()[std::ptrdiff_t(there(key))].second;
  }
  iterator find(std::string_view key) { return this->begin() + std::ptrdiff_t(place(key)); }
  const_iterator find(std::string_view key) const {
    return this->begin() + std::ptrdiff_t(place(key));
  }
  size_type count(std::string_view key) const { return place(key) < this->size() ? 1 : 0; }

  size_type erase(std::string_view key) {
    const size_type at = place(key);
    if (at == this->size()) return 0;
    erase(this->begin() + std::ptrdiff_t(at));
    return 1;
  }
  iterator erase(iterator place) { return erase(place, std::next(place)); }
  iterator erase(iterator first, iterator last) {
    const iterator after = Base::erase(first, last);
    index_all();
    return after;
  }
  void clear() {
    Base::Container::clear();
    slots_.clear();
  }

 private:
  static constexpr size_type kFew = 16;  // so many are searched one by one

  static size_type hash(std::string_view key) { return std::hash<std::string_view>()(key); }

  // Position of the key; size() where there is none.
  size_type place(std::string_view key) const {
    if (slots_.empty()) {
      size_type at = 0;
      while (at < this->size() && this->data()[at].first != key) ++at;
      return at;
    }
    const size_type mask = slots_.size() - 1;
    for (size_type slot = hash(key) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
      if (this->data()[slots_[slot] - 1].first == key) return slots_[slot] - 1;
    }
    return this->size();
  }

  size_type there(std::string_view key) const {
    const size_type at = place(key);
    if (at == this->size()) throw std::out_of_range("key not found");  // basic_json's to translate
    return at;
  }

  void index(size_type at) {
    const size_type mask = slots_.size() - 1;
    size_type slot = hash(this->data()[at].first) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = uint32_t(at + 1);
  }

  void index_last() {
    if (this->size() <= kFew) return;
    if (slots_.size() < 2 * this->size()) return index_all();
    index(this->size() - 1);
  }

  void index_all() {
    slots_.clear();
    if (this->size() <= kFew) return;
    size_type slots = 4 * kFew;
    while (slots < 4 * this->size()) slots *= 2;
    slots_.resize(slots);
    for (size_type at = 0; at < this->size(); ++at) index(at);
  }

  // Open addressing, a power of two: position + 1; 0: free. Empty while the keys are few.
  std::vector<uint32_t> slots_;
};

}  // namespace podium
