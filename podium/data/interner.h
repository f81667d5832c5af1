// Ids to dense numbers, in order of first appearance.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/rng.h"

namespace podium::data {

// Holds the ids once, end to end, and finds them by open addressing. Not thread-safe.
class Interner {
 public:
  uint32_t number(std::string_view id) {
    if (size() * 2 >= slots_.size()) grow();
    const uint64_t hash = stable_hash(id);
    const auto tag = static_cast<uint32_t>(hash >> 32);
    size_t slot = hash & (slots_.size() - 1);
    for (; slots_[slot].number != kEmpty; slot = (slot + 1) & (slots_.size() - 1)) {
      const Slot& known = slots_[slot];
      if (known.tag == tag && id_at(known.begin) == id) return known.number;
    }
    const auto number = static_cast<uint32_t>(size());
    const auto length = static_cast<uint32_t>(id.size());
    slots_[slot] = {number, tag, text_.size()};
    begin_.push_back(text_.size());
    hashes_.push_back(hash);
    text_.append(reinterpret_cast<const char*>(&length), sizeof(length)).append(id);
    return number;
  }
  size_t size() const { return hashes_.size(); }
  // Valid until the next number().
  std::string_view id(uint32_t number) const { return id_at(begin_[number]); }
  uint64_t hash(uint32_t number) const { return hashes_[number]; }

 private:
  static constexpr uint32_t kEmpty = ~uint32_t{0};
  struct Slot {  // tag and begin save looks into hashes_ and begin_, far away in memory
    uint32_t number = kEmpty, tag = 0;
    size_t begin = 0;
  };

  std::string_view id_at(size_t begin) const {
    uint32_t length = 0;
    std::memcpy(&length, text_.data() + begin, sizeof(length));
    return {text_.data() + begin + sizeof(length), length};
  }

  void grow() {
    slots_.assign(slots_.empty() ? 1024 : slots_.size() * 2, Slot());
    for (uint32_t number = 0; number < size(); ++number) {
      size_t slot = hashes_[number] & (slots_.size() - 1);
      while (slots_[slot].number != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = {number, static_cast<uint32_t>(hashes_[number] >> 32), begin_[number]};
    }
  }

  std::vector<Slot> slots_;       // a power of two, at most half full
  std::vector<uint64_t> hashes_;  // [size]
  std::vector<size_t> begin_;     // [size] in text_
  std::string text_;              // each id after its length, a uint32_t
};

}  // namespace podium::data
