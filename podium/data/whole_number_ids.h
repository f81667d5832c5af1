// Ids that two files spell apart: 10.0, where a program read them as floats, and 10.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "podium/data/interner.h"

namespace podium::data {

// If any id occurs in both spellings, every whole number written with a point and zeros stands for
// the one without, which is numbered where it is new. Otherwise ids stay as they are written: data
// that spell all ids 10.0 keep them so.
struct SameIds {
  std::vector<uint32_t> number;  // [ids] the number that each stands for; empty: itself
  size_t changed = 0;            // ids that stand for another
};
SameIds same_whole_numbers(Interner& ids);

}  // namespace podium::data
