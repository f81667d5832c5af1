// Slate: the K candidates a re-ranker orders, in the upstream ranker's order, with what it may know
// of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/data/dataset.h"

namespace podium::rerank {

using data::ItemIndex;

// Collaborative context of one candidate, each a level 0 (none) to 3 (strong), computed by the
// funnel from the same statistics the ranker sees, never from the label.
enum EvidenceKind : uint8_t {
  kTogether,  // chosen right after the user's last item by others
  kHistory,   // co-occurs with anything in the user's history
  kSimilar,   // content similar to the history
  kSequence,  // SASRec's score
  kPopular,   // popularity
  kCategory,  // shares its most special category with recent history
  kBrand,     // shares the brand with history
  kPrice,     // price close to the user's usual price
  kEvidenceKinds
};
using Evidence = std::array<uint8_t, kEvidenceKinds>;
std::string_view evidence_name(EvidenceKind kind);  // "together", ...

inline constexpr int kSlateForm = 4;       // of the files: raise when they hold other columns
inline constexpr size_t kMaxHistory = 20;  // newest items that a slate keeps
inline constexpr size_t kMinCandidates = 2, kMaxCandidates = 100;

struct SlateCandidate {
  ItemIndex item = 0;
  float upstream_score = 0;  // larger is better; the slate is in descending order of it
  float ranker_score = 0;    // of the ranker that was trained on such lists; 0: there is none
  Evidence evidence{};
  uint8_t gain = 0;  // label: 0 not chosen, 1.. graded engagement; unknown when serving: 0
  // The ranker's features as a network reads them (funnel/feature_scale.h): as many for all
  // candidates of a slate; none where nobody has computed them.
  std::vector<float> numbers = {};
};

// An item that came after training, as a prompt shows it.
struct AddedItemName {
  ItemIndex item = 0;           // not below the number of trained items
  std::vector<uint16_t> codes;  // [levels], its semantic ID
  std::vector<float> text;      // [width], the vector of its text
  std::string title;
};

struct Slate {
  std::string id;                          // e.g. "u123@7": user id @ position of the event
  std::vector<ItemIndex> history;          // oldest first, at most the newest kMaxHistory
  std::vector<SlateCandidate> candidates;  // K of them, 2..100, distinct items
  std::vector<AddedItemName> added;        // those of them, when serving; never in a file
  float weight = 1;                        // what it counts (data/split.h), 1 on average; above 0

  size_t numbers() const;  // of a candidate
  int positives() const;
  bool can_be_ranked() const;  // it has a positive and a negative
};

// [candidates] their labels.
std::vector<uint8_t> gains_of(const Slate& slate);

// What is wrong with a slate (too few or many candidates, one of them twice, an evidence level
// above 3); empty when nothing is.
std::string slate_flaw(const Slate& slate);

// All of one number of numbers. slates.safetensors (columns) and slates.jsonl (one readable slate a
// line: ids, titles, labels) in `dir`, each written atomically. Reading checks version, checksum
// and every slate.
void write_slates(const fs::path& dir, const data::Dataset& dataset,
                  const std::vector<Slate>& slates);
std::vector<Slate> read_slates(const fs::path& dir);  // from slates.safetensors

}  // namespace podium::rerank
